// What it costs to count reads and to send the counts: hits in Redis with `recording` on and off.
import { type Cache, createCache } from '../src/index.ts';
import { ProductSource, type Read } from './products.ts';
import { checkHits, expectHits, NAMESPACE, type ReadBench } from './read-bench.ts';
import { type Count, countReads, readAll } from './reads-per-second.ts';
import { formatTable, say } from './report.ts';
import { summarize } from './statistics.ts';

const IN_FLIGHT = 64;
/** Both sides are read in turn within a round, in slices so short that a busy machine slows both down. */
const SLICE_MS = 25;
/** Counts are sent once a second by default: a shorter round would send them more often than that. */
const SHORTEST_ROUND_MS = 1_000;

/** Hits per second. */
export interface Recording {
  readonly on: number;
  readonly off: number;
}

/** The round of the median cost, with 64 reads in flight: there recording is the largest part of a hit. */
export async function measureRecording({ redisUrl, options }: ReadBench): Promise<Recording> {
  const source = new ProductSource();
  const ms = Math.max(options.ms, SHORTEST_ROUND_MS);
  say(
    `\nRecording, hits in Redis, ${IN_FLIGHT} in flight: rounds of ${ms} ms for each side, in turns of`,
  );
  say(`${SLICE_MS} ms; those that record end with the sending of all that was counted in them.`);
  const rounds: Recording[] = [];
  for (let round = -1; round < options.rounds; round++) {
    const measured = await measureRound({ redisUrl, source, ms });
    if (round >= 0) rounds.push(measured);
  }
  const off = summarize(rounds.map((round) => round.off));
  const rows = [
    { name: 'recording: true', summary: summarize(rounds.map((round) => round.on)), against: off },
    { name: 'recording: false', summary: off },
  ];
  say(`\n${formatTable('reads/s', rows)}`);
  const middle = roundOfMedianCost(rounds);
  const costs = summarize(rounds.map(costOf));
  const [cost, lowest, highest] = [costOf(middle), costs.lowest, costs.highest].map(formatPercent);
  say(`recording costs ${cost} of a hit (median of the rounds; from ${lowest} to ${highest})`);
  return { on: Math.round(middle.on), off: Math.round(middle.off) };
}

interface Round {
  readonly redisUrl: string;
  readonly source: ProductSource;
  readonly ms: number;
}

async function measureRound({ redisUrl, source, ms }: Round): Promise<Recording> {
  const on = await Side.open(redisUrl, source, 'on');
  const off = await Side.open(redisUrl, source, 'off');
  const requireHits = expectHits(source);
  for (let slice = 0; slice < ms / SLICE_MS; slice++) {
    for (const side of slice % 2 === 0 ? [on, off] : [off, on]) await side.readOn();
  }
  const measured = { on: await on.finish(), off: await off.finish() };
  requireHits();
  return measured;
}

/** A cache of its own for each round: nothing counted in one is sent in another. */
class Side {
  readonly #cache: Cache;
  readonly #read: Read;
  #reads = 0;
  #ms = 0;

  static async open(redisUrl: string, source: ProductSource, mode: 'on' | 'off'): Promise<Side> {
    const { loader } = source;
    const cache = createCache({
      redis: redisUrl,
      namespace: NAMESPACE,
      loaders: [loader],
      recording: mode === 'on',
      flushInterval: '1h', // At the end of the round, else the other side would pay for it.
    });
    await cache.ready();
    const side = new Side(cache, (id) => cache.get(loader, id));
    await readAll(side.#read);
    await checkHits(cache, loader, 'redis');
    return side;
  }

  private constructor(cache: Cache, read: Read) {
    this.#cache = cache;
    this.#read = read;
  }

  async readOn(): Promise<void> {
    this.#add(await countReads(this.#read, { inFlight: IN_FLIGHT, ms: SLICE_MS }));
  }

  /** Sends the counts, and answers the reads per second. */
  async finish(): Promise<number> {
    const startedAtMs = performance.now();
    await this.#cache.close();
    this.#add({ reads: 0, ms: performance.now() - startedAtMs });
    return (this.#reads * 1_000) / this.#ms;
  }

  #add({ reads, ms }: Count): void {
    this.#reads += reads;
    this.#ms += ms;
  }
}

function costOf({ on, off }: Recording): number {
  return 1 - on / off;
}

function roundOfMedianCost(rounds: readonly Recording[]): Recording {
  const sorted = [...rounds].sort((a, b) => costOf(a) - costOf(b));
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new Error('no round was measured');
  return middle;
}

function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
