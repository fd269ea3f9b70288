import { setTimeout as sleep } from 'node:timers/promises';
import type { Read } from './trace.ts';

/** Reads one key through the cache under test; answers whether it waited for the origin. */
export type ReadOnce = (keyId: number) => Promise<boolean>;

export interface ReaderResult {
  /** One per read, in the order in which they ended. */
  readonly latenciesMs: number[];
  waits: number;
  hotReads: number;
  hotWaits: number;
  /** By the minute of the trace in which they began. */
  readonly waitsByMinute: number[];
  /** The latest a read was started after its time: shows a machine too slow for the speed. */
  worstLateMs: number;
}

export interface ReplayOptions {
  /** Agreed between all readers of both sides: epoch ms. */
  readonly startAtMs: number;
  readonly speed: number;
  readonly hot: ReadonlySet<number>;
  readonly read: ReadOnce;
}

const MINUTE_MS = 60_000;

export function emptyResult(): ReaderResult {
  return { latenciesMs: [], waits: 0, hotReads: 0, hotWaits: 0, waitsByMinute: [], worstLateMs: 0 };
}

/**
 * Starts each read at its time, whether or not earlier ones have ended: slow answers do not slow the
 * reader down, as they would not slow down the world. None is left out; late ones are caught up with.
 * `result` is filled as reads end.
 */
export async function replayReads(
  reads: readonly Read[],
  result: ReaderResult,
  { startAtMs, speed, hot, read }: ReplayOptions,
): Promise<void> {
  const startAt = performance.now() + startAtMs - Date.now();
  const measure = async ({ keyId, tMs }: Read): Promise<void> => {
    const readAt = performance.now();
    const waited = await read(keyId);
    result.latenciesMs.push(performance.now() - readAt);
    const isHot = hot.has(keyId);
    if (isHot) result.hotReads += 1;
    if (waited) {
      result.waits += 1;
      const minute = Math.floor(tMs / MINUTE_MS);
      result.waitsByMinute[minute] = (result.waitsByMinute[minute] ?? 0) + 1;
    }
    if (waited && isHot) result.hotWaits += 1;
  };

  const running: Promise<void>[] = [];
  for (const one of reads) {
    const dueAt = startAt + one.tMs / speed;
    const earlyMs = dueAt - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    result.worstLateMs = Math.max(result.worstLateMs, performance.now() - dueAt);
    running.push(measure(one));
  }
  await Promise.all(running);
}
