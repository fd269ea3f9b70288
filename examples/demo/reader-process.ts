import { once } from 'node:events';
import { emptyResult, type ReaderResult, type ReadOnce, replayReads } from './reader-loop.ts';
import { readsOf } from './reads.ts';
import type { Settings } from './settings.ts';
import { firstSeconds, hotKeys } from './trace.ts';
import './leave-with-parent.ts';

/** What a reader tells the main process. */
export type ReaderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly reads: number; readonly waits: number }
  | { readonly kind: 'done'; readonly result: ReaderResult };

/** What the main process tells a reader, once all readers of both sides are ready. */
export interface StartMessage {
  readonly startAtMs: number;
}

/** Reader processes a side; read i of the trace is made by process i % READERS, on both sides. */
export const READERS = 2;

const PROGRESS_MS = 250;

/** The life of a reader process, the same for both sides but for `read`. */
export async function runReader(settings: Settings, read: ReadOnce): Promise<void> {
  const share = Number(process.argv[2]);
  const reads = firstSeconds(readsOf(settings.trace), settings.seconds);
  const hot = hotKeys(reads, settings);
  const mine = reads.filter((_, i) => i % READERS === share);
  // A key outside the trace: opens the connections to Redis and origin, which no read should pay for.
  await read(-1 - share);

  tell({ kind: 'ready' });
  const [{ startAtMs }] = (await once(process, 'message')) as [StartMessage];
  const result = emptyResult();
  const progress = setInterval(() => {
    tell({ kind: 'progress', reads: result.latenciesMs.length, waits: result.waits });
  }, PROGRESS_MS);
  await replayReads(mine, result, { startAtMs, speed: settings.speed, hot, read });
  clearInterval(progress);
  tell({ kind: 'done', result });
}

function tell(message: ReaderMessage): void {
  process.send?.(message);
}
