import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptArgument, type ScriptClient, scriptClient } from './scripts.ts';

/** What a read may come to, as `everwarm_reads_total` names it. */
export const READ_RESULTS = ['memory', 'redis', 'stale', 'loader', 'uncached', 'failed'] as const;

/** Reads by what they came to. */
export type ReadTotals = Readonly<Record<(typeof READ_RESULTS)[number], number>>;

const SLOT_MS = 15_000;
/** Slots that are over, beside the one that has begun. */
const SLOTS_BACK = 4;
const EXPIRE_SECONDS = 120;

/** What the whole fleet's reads of a loader came to of late: a hash for each 15 s, which expires. */
export class FleetReads {
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keyOf: (slot: number) => string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#keyOf = (slot) => keys.reads(loader, slot);
  }

  async add(totals: ReadTotals, nowMs: number): Promise<void> {
    const key = this.#keyOf(slotAt(nowMs));
    const args: ScriptArgument[] = [key, EXPIRE_SECONDS];
    for (const result of READ_RESULTS) {
      if (totals[result] > 0) args.push(result, totals[result]);
    }
    await withinTimeout(this.#scripts.run('countReads', args), `counting reads in ${key}`);
  }

  /** Of the last minute, and of what has begun of the next slot. */
  async read(nowMs: number): Promise<{ readonly totals: ReadTotals; readonly spanMs: number }> {
    const last = slotAt(nowMs);
    const first = last - SLOTS_BACK;
    const pipeline = this.#redis.pipeline();
    for (let slot = first; slot <= last; slot++) pipeline.hgetall(this.#keyOf(slot));
    const replies = await withinTimeout(pipeline.exec(), `reading ${this.#keyOf(last)}`);
    const slots = (replies ?? []).map(([error, counts]) => {
      if (error) throw error;
      return counts as Partial<Record<string, string>>;
    });
    const total = (result: string): number =>
      slots.reduce((sum, counts) => sum + Number(counts[result] ?? 0), 0);
    const totals = Object.fromEntries(READ_RESULTS.map((result) => [result, total(result)]));
    return { totals: totals as ReadTotals, spanMs: nowMs - first * SLOT_MS };
  }
}

function slotAt(nowMs: number): number {
  return Math.floor(nowMs / SLOT_MS);
}
