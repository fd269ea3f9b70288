import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptArgument, type ScriptClient, scriptClient } from './scripts.ts';

/** What a read may come to, as `everwarm_reads_total` names it. */
export const READ_RESULTS = ['memory', 'redis', 'stale', 'loader', 'uncached', 'failed'] as const;

/** Reads by what they came to. */
export type ReadTotals = Readonly<Record<(typeof READ_RESULTS)[number], number>>;

const LOAD_COUNTS = ['loads', 'landed', 'late', 'leadMs'] as const;

/**
 * Keys that a loader was called for; refreshes that landed, those of them that came after expiry, and the
 * sum of the lives that were left to the others.
 */
export type LoadTotals = Readonly<Record<(typeof LOAD_COUNTS)[number], number>>;

const COUNTED = [...READ_RESULTS, ...LOAD_COUNTS];

export type Counts = ReadTotals & LoadTotals;

const SLOT_MS = 15_000;
/** Slots that are over, beside the one that has begun. */
const SLOTS_BACK = 4;
const EXPIRE_SECONDS = 120;

/** The counts of these sources together, less what is told already. */
export function sumOf(sources: readonly Partial<Counts>[], told?: Counts): Counts {
  const entries = COUNTED.map((name) => {
    const sum = sources.reduce((total, counts) => total + (counts[name] ?? 0), 0);
    return [name, sum - (told?.[name] ?? 0)];
  });
  return Object.fromEntries(entries) as Counts;
}

/** What the whole fleet's reads and loads of a loader came to of late: a hash for each 15 s, which expires. */
export class FleetCounts {
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keyOf: (slot: number) => string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#keyOf = (slot) => keys.counts(loader, slot);
  }

  async add(counts: Partial<Counts>, nowMs: number): Promise<void> {
    const key = this.#keyOf(slotAt(nowMs));
    const args: ScriptArgument[] = [key, EXPIRE_SECONDS];
    for (const name of COUNTED) {
      const count = Math.round(counts[name] ?? 0);
      if (count > 0) args.push(name, count);
    }
    await withinTimeout(this.#scripts.run('addCounts', args), `counting in ${key}`);
  }

  /** Of the last minute, and of what has begun of the next slot. */
  async read(nowMs: number): Promise<{ readonly totals: Counts; readonly spanMs: number }> {
    const last = slotAt(nowMs);
    const first = last - SLOTS_BACK;
    const pipeline = this.#redis.pipeline();
    for (let slot = first; slot <= last; slot++) pipeline.hgetall(this.#keyOf(slot));
    const replies = await withinTimeout(pipeline.exec(), `reading ${this.#keyOf(last)}`);
    const slots = (replies ?? []).map(([error, fields]) => {
      if (error) throw error;
      const counts = Object.entries(fields as Readonly<Record<string, string>>);
      return Object.fromEntries(counts.map(([name, count]) => [name, Number(count)]));
    });
    return { totals: sumOf(slots), spanMs: nowMs - first * SLOT_MS };
  }
}

function slotAt(nowMs: number): number {
  return Math.floor(nowMs / SLOT_MS);
}
