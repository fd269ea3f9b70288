import type { RunCounts } from '../core/events.ts';
import { withinTimeout } from './connection.ts';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptClient, scriptClient } from './scripts.ts';

/** How a plan's last run ended. */
export interface LastWarmUpRun extends RunCounts {
  readonly runId: string;
  readonly outcome: 'completed' | 'failed';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Why a failed run ended; null for others. */
  readonly error: string | null;
}

/** A run that died without a word holds its plan for so long; its job is taken over at about that time. */
const LOCK_MS = 15_000;
const KEPT_SECONDS = 30 * 86_400;

/** Which run of a plan is under way, and how the last one ended, on the queue server. */
export class WarmUpRuns {
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#keys = keys;
  }

  /** Makes this the plan's one run, or keeps it so; answers whether it is. */
  async hold(plan: string, runId: string): Promise<boolean> {
    const lock = this.#keys.warmUpLock(plan);
    const held = await withinTimeout(
      Promise.all([
        this.#redis.set(lock, runId, 'PX', LOCK_MS, 'NX'),
        this.#scripts.run('renewLock', [lock, runId, LOCK_MS]),
      ]),
      `holding warm-up "${plan}"`,
    );
    return held[1] === 1;
  }

  async release(plan: string, runId: string): Promise<void> {
    const lock = this.#keys.warmUpLock(plan);
    await withinTimeout(
      this.#scripts.run('releaseLock', [lock, runId, '', 0, lock]),
      `releasing warm-up "${plan}"`,
    );
  }

  async ended(plan: string, run: LastWarmUpRun): Promise<void> {
    const key = this.#keys.warmUpRuns();
    const fields = [plan, JSON.stringify(run)];
    // What an aborted or failed run took tells nothing of the next one.
    if (run.outcome === 'completed') {
      fields.push(`${plan}:took`, String(Math.round(run.endedAtMs - run.startedAtMs)));
    }
    await withinTimeout(this.#redis.hset(key, ...fields), `noting the end of warm-up "${plan}"`);
    await this.#redis.expire(key, KEPT_SECONDS);
  }

  /** Null: none is known. */
  async last(plan: string): Promise<LastWarmUpRun | null> {
    const text = await withinTimeout(
      this.#redis.hget(this.#keys.warmUpRuns(), plan),
      `asking for the last run of warm-up "${plan}"`,
    );
    try {
      return text === null ? null : (JSON.parse(text) as LastWarmUpRun);
    } catch {
      return null;
    }
  }

  /** What the last completed run took. */
  async tookMs(plan: string): Promise<number | null> {
    const text = await withinTimeout(
      this.#redis.hget(this.#keys.warmUpRuns(), `${plan}:took`),
      `asking how long warm-up "${plan}" takes`,
    );
    const tookMs = Number(text);
    return text !== null && Number.isFinite(tookMs) ? tookMs : null;
  }
}
