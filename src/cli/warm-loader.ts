import { InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { EntryStore } from '../redis/entry-store.ts';
import { Tracker } from '../redis/tracker.ts';
import { newRunId } from '../warm/run-id.ts';
import { WarmRun } from '../warm/warm-run.ts';
import { keysOfFile } from './keys-file.ts';
import type { ProgressBar } from './progress-bar.ts';
import type { Session } from './session.ts';
import { stopSignal } from './stop-signal.ts';
import type { WarmOutcome } from './warm-outcome.ts';

export interface WarmLoaderFlags {
  /** Path of a file of key texts, one a line. */
  readonly keys?: string;
  readonly hottest?: number;
}

const MOST_LINES_TOLD = 20;

/** The keys that the flags name. */
export function keysOfFlags(
  loader: AnyLoader,
  flags: WarmLoaderFlags,
  { servers, keys, onBad }: Session & { onBad(line: number, why: string): void },
): AsyncGenerator<string> {
  if (flags.keys !== undefined) return keysOfFile(flags.keys, onBad);
  if (flags.hottest) return new Tracker(servers.queue, keys, loader).hottest(flags.hottest, null);
  const rule = 'is a loader: it needs --keys FILE or --hottest N';
  throw new InvalidOptionError('warm', loader.name, rule);
}

/** Tells the first of what is no key, with its line where it is of a file, and counts all of it. */
export class BadLines {
  readonly #say: (text: string) => void;
  #count = 0;
  #lines = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  get count(): number {
    return this.#count;
  }

  readonly add = (line: number | null, why: string): void => {
    this.#count++;
    if (line !== null) this.#lines++;
    const where = line === null ? '' : `line ${line}: `;
    if (this.#count <= MOST_LINES_TOLD) this.#say(`${where}${why}`);
  };

  tell(): void {
    const lines = this.#lines;
    const rest = this.#count - lines;
    if (lines > 0) this.#say(`${lines} lines are no keys, and were passed over`);
    if (rest > 0) this.#say(`${rest} params make no key, and were passed over`);
  }
}

/** Warms keys of a loader from this process, through the workers. */
export async function warmLoader(
  loader: AnyLoader,
  flags: WarmLoaderFlags,
  { bar, ...session }: Session & { readonly bar: ProgressBar },
): Promise<WarmOutcome> {
  const { servers, keys, events } = session;
  const { cache, queue, clock } = servers;
  const bad = new BadLines((text) => bar.say(text));
  events.on('warm:stalled', ({ silentMs }) => {
    bar.say(`no worker has taken any key for ${Math.round(silentMs / 1_000)} s: is one running?`);
  });
  const signal = stopSignal();
  const hottest = flags.keys === undefined ? (flags.hottest ?? 0) : 0;
  const runId = newRunId(loader.name);
  const progress = await new WarmRun({
    keys,
    store: new EntryStore(cache),
    queue,
    clock,
    events,
  }).run(
    {
      runId,
      loader,
      keys: keysOfFlags(loader, flags, { ...session, onBad: bad.add }),
      skip: 0,
      freshUntilMs: null,
      untilMs: null,
      spreadOverMs: 0,
      priority: null,
      total: hottest > 0 ? await new Tracker(queue, keys, loader).countHottest(hottest) : null,
    },
    { signal, onProgress: (now) => bar.show(now) },
  );
  bar.end(progress);
  bad.tell();
  if (signal.aborted) bar.say('stopped');
  const { done, skipped, failed } = progress;
  const error = signal.aborted ? 'stopped' : null;
  return { runId, done, skipped, failed, refused: bad.count, error };
}
