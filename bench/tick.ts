// A scheduler's tick among few and among many tracked keys, with the same number due: claim, plan, enqueue,
// settle. What it costs must not depend on what it leaves alone.
import { Redis } from 'ioredis';
import { DEFAULTS } from '../src/config/defaults.ts';
import { processClock } from '../src/core/clock.ts';
import { Events } from '../src/core/events.ts';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { RefreshQueue } from '../src/queue/refresh-queue.ts';
import { EntryStore } from '../src/redis/entry-store.ts';
import { Keys } from '../src/redis/keys.ts';
import { LoaderStatsStore } from '../src/redis/loader-stats.ts';
import { Tracker } from '../src/redis/tracker.ts';
import { LoaderScheduler } from '../src/schedule/loader-scheduler.ts';
import { alternate, type Side } from './alternate.ts';
import { prefillHotKeys } from './hot-keys.ts';
import { hot } from './hot-loader.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { formatTable, say } from './report.ts';

const TRACKED = [1_000, 10_000, 100_000] as const;
/** Not due while the benchmark runs. */
const LATER_MS = 24 * 3_600_000;
/** Long enough for the scheduler to see, in half of it, that workers keep up: its backlog has room. */
const CLAIM_TTL_MS = 600_000;
/** The first ticks see no worker yet and enqueue fewer. */
const WARM_UP_ROUNDS = 5;
const CHUNK = 1_000;

interface TickOptions extends BenchOptions {
  readonly due: number;
}

/** One namespace with so many tracked keys, and a scheduler that is told when to tick. */
class TrackedKeys {
  readonly #redis: Redis;
  readonly #tracked: number;
  readonly #due: number;
  readonly #dueKey: string;
  readonly #stats: LoaderStatsStore;
  readonly #queue: RefreshQueue;
  readonly #scheduler: LoaderScheduler;
  #last = { enqueued: 0, tickMs: 0 };

  constructor(redis: Redis, tracked: number, due: number) {
    this.#redis = redis;
    this.#tracked = tracked;
    this.#due = due;
    const keys = new Keys(namespaceOf(tracked));
    const tracker = new Tracker(redis, keys, hot);
    this.#dueKey = keys.tracker(hot, tracker.halfLifeMs).due;
    this.#stats = new LoaderStatsStore(redis, keys, hot);
    this.#queue = new RefreshQueue(redis, keys, hot);
    const events = new Events();
    events.on('tick:completed', ({ enqueued, tickMs }) => {
      this.#last = { enqueued, tickMs };
    });
    this.#scheduler = new LoaderScheduler({
      loader: hot,
      keys,
      tracker,
      store: new EntryStore(redis),
      stats: this.#stats,
      originState: () => Promise.resolve(null),
      queue: this.#queue,
      clock: processClock,
      events,
      tickMs: DEFAULTS.tickIntervalMs,
      claimTtlMs: CLAIM_TTL_MS,
      mode: 'active',
      maxTrackedKeys: DEFAULTS.maxTrackedKeys,
    });
  }

  /** Nothing is due any more. */
  async postpone(): Promise<void> {
    for (let from = 0; from < this.#tracked; from += CHUNK) {
      await this.#setDue(from, Math.min(CHUNK, this.#tracked - from), Date.now() + LATER_MS);
    }
  }

  /** Makes keys due, ticks once, and does what workers would: answers the tick's time, ms. */
  async tick(isChecked: boolean): Promise<number> {
    const from = Math.floor(Math.random() * (this.#tracked - this.#due + 1));
    await this.#setDue(from, this.#due, Date.now());
    await this.#scheduler.tick();
    const { enqueued, tickMs } = this.#last;
    if (isChecked && enqueued !== this.#due) {
      throw new Error(`a tick enqueued ${enqueued} of ${this.#due} due keys`);
    }
    await this.#stats.addFinished(enqueued);
    await this.#setDue(from, this.#due, Date.now() + LATER_MS);
    return tickMs;
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #setDue(from: number, count: number, dueAtMs: number): Promise<void> {
    const scored = Array.from({ length: count }, (_, at) => [dueAtMs, String(from + at)]);
    await this.#redis.zadd(this.#dueKey, ...scored.flat());
  }
}

function namespaceOf(tracked: number): string {
  return `bench-tick-${tracked}`;
}

interface Tick {
  readonly tracked: number;
  readonly due: number;
  readonly ms: number;
}

async function run(url: string, options: TickOptions): Promise<Tick[]> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const sizes: TrackedKeys[] = [];
  const sides: Side[] = [];
  for (const tracked of TRACKED) {
    await prefillHotKeys(url, namespaceOf(tracked), tracked);
    const keys = new TrackedKeys(redis, tracked, options.due);
    await keys.postpone();
    sizes.push(keys);
    let round = 0;
    const run = (): Promise<number> => keys.tick(round++ >= WARM_UP_ROUNDS);
    sides.push({ name: `${tracked} tracked`, run });
  }
  const measured = await alternate(sides, { ...options, warmUpRounds: WARM_UP_ROUNDS });
  const [smallest] = measured;
  const rows = measured.map((side) =>
    smallest && side !== smallest ? { ...side, against: smallest.summary } : side,
  );
  say(formatTable('ms a tick', rows));
  await Promise.all(sizes.map((keys) => keys.close()));
  redis.disconnect();
  const medians = measured.map(({ summary }) => Math.round(summary.median * 100) / 100);
  return TRACKED.map((tracked, at) => ({ tracked, due: options.due, ms: medians[at] ?? 0 }));
}

const options = benchCommand('tick', "A scheduler's tick among few and many tracked keys.", 51)
  .option('--due <n>', 'keys due in each tick', wholeNumberFrom(1, TRACKED[0]), 200)
  .parse()
  .opts<TickOptions>();
const server = await startEmbeddedRedis();
try {
  say(`${options.due} due keys a tick, all of them worth a refresh and enqueued; no worker runs.`);
  const ticks = await run(server.url, options);
  if (options.json) say(JSON.stringify({ ticks }));
} finally {
  await server.close();
}
