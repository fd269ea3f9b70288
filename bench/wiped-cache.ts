// A wiped cache under steady reads: how many of the hot reads wait in each second after FLUSHALL, with a
// scheduler and a worker that heal it, and with its readers alone?
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { type Cache, createCache } from '../src/index.ts';
import { RoleProcess } from './child.ts';
import { item, LOAD_MS } from './item-loader.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { say } from './report.ts';
import { zipfReads } from './synthetic-reads.ts';

interface WipeOptions extends BenchOptions {
  readonly keys: number;
  readonly readsPerSecond: number;
}

const NAMESPACE = 'bench-wiped';
const HEATING_S = 60;
const WATCHED_S = 5;
const STEP_MS = 5;
const EXPONENT = 1;
/** Hot: read at least so often in a ttl. */
const HOT_READS = 2;
const SECOND_MS = 1_000;

interface Second {
  reads: number;
  waits: number;
}

/** Plays reads as they are due, and counts those of hot keys from the wipe on. */
class Readers {
  readonly #cache: Cache;
  readonly #hotKeys: number;
  readonly #seconds: Second[] = [];
  #wipedAtMs = Number.POSITIVE_INFINITY;

  constructor(cache: Cache, hotKeys: number) {
    this.#cache = cache;
    this.#hotKeys = hotKeys;
  }

  wiped(): void {
    this.#wipedAtMs = performance.now();
  }

  async play(options: WipeOptions): Promise<void> {
    const { keys, readsPerSecond } = options;
    const reads = (HEATING_S + WATCHED_S) * readsPerSecond;
    const startedAtMs = performance.now();
    const all: Promise<void>[] = [];
    for (const { tMs, key } of zipfReads({
      keys,
      readsPerSecond,
      reads,
      exponent: EXPONENT,
      seed: 1,
    })) {
      while (performance.now() - startedAtMs < tMs) await delay(STEP_MS);
      all.push(this.#read(key));
    }
    await Promise.all(all);
  }

  /** Shares of the hot reads that waited, second by second after the wipe. */
  get waitPercents(): number[] {
    return this.#seconds.map(({ reads, waits }) => Number(((100 * waits) / reads).toFixed(1)));
  }

  async #read(id: number): Promise<void> {
    const startedAtMs = performance.now();
    const { source } = await this.#cache.getWithMeta(item, id);
    if (id >= this.#hotKeys || startedAtMs < this.#wipedAtMs) return;
    // Also who waited for the load of another process.
    const hasWaited = source === 'loader' || performance.now() - startedAtMs >= LOAD_MS;
    const at = Math.floor((startedAtMs - this.#wipedAtMs) / SECOND_MS);
    this.#seconds[at] ??= { reads: 0, waits: 0 };
    const second = this.#seconds[at];
    second.reads++;
    if (hasWaited) second.waits++;
  }
}

/** Keys from 0 on are the most read ones: so many of them are read often enough. */
function hotOf({ keys, readsPerSecond }: WipeOptions): number {
  const ranks = Array.from({ length: keys }, (_, at) => (at + 1) ** -EXPONENT);
  const sum = ranks.reduce((all, share) => all + share, 0);
  const perTtl = (readsPerSecond * item.ttlMs) / SECOND_MS;
  return ranks.filter((share) => (share / sum) * perTtl >= HOT_READS).length;
}

async function run(url: string, options: WipeOptions, heals: boolean): Promise<number[]> {
  const redis = new Redis(url);
  await redis.flushall();
  const cache = createCache({ redis: url, namespace: NAMESPACE, loaders: [item] });
  const roles = new RoleProcess(new URL('./wiped-cache-roles.js', import.meta.url));
  try {
    await cache.ready();
    if (heals) await roles.start({ redisUrl: url, namespace: NAMESPACE });
    await cache.getMany(
      item,
      Array.from({ length: options.keys }, (_, id) => id),
    );
    const readers = new Readers(cache, hotOf(options));
    const playing = readers.play(options);
    await delay(HEATING_S * SECOND_MS);
    await wipe(redis);
    readers.wiped();
    await playing;
    if (heals) await roles.stop();
    return readers.waitPercents.slice(0, WATCHED_S - 1);
  } finally {
    roles.close();
    await cache.close();
    redis.disconnect();
  }
}

/** As FLUSHALL on a cache server of its own: entries, locks, canary. */
async function wipe(redis: Redis): Promise<void> {
  const keys = await redis.keys(`${NAMESPACE}:{item@*`);
  await redis.unlink(...keys, `${NAMESPACE}:canary`);
}

const options = benchCommand('wiped-cache', 'Hot reads that wait after a wipe, by second.', 1)
  .option('--keys <n>', 'keys, read by Zipf', wholeNumberFrom(100), 2_000)
  .option('--reads-per-second <n>', 'reads of all keys', wholeNumberFrom(100), 1_000)
  .parse()
  .opts<WipeOptions>();
const server = await startEmbeddedRedis();
try {
  const alone = await run(server.url, options, false);
  const healed = await run(server.url, options, true);
  say(`Hot reads that wait, in % by second after the wipe (loads take ${LOAD_MS} ms):`);
  say(`  readers alone           ${alone.join(', ')}`);
  say(`  scheduler and worker    ${healed.join(', ')}`);
  if (options.json) say(JSON.stringify({ healed, alone }));
} finally {
  await server.close();
}
