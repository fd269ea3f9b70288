import type { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { type Caller, type Hold, type ProbedCall, probeKeys } from '../processes/probed-loaders.ts';

const PATIENCE_MS = 20_000;

/** The test's end of the line to the loaders of its processes: what they did, and what they are to do. */
export class Probe {
  readonly #redis: Redis;
  readonly #keys: ReturnType<typeof probeKeys>;

  constructor(redis: Redis, namespace: string) {
    this.#redis = redis;
    this.#keys = probeKeys(namespace);
  }

  /** What loader calls have told so far, in order; those that have what `like` has. */
  async calls(like: Partial<ProbedCall> = {}): Promise<ProbedCall[]> {
    const lines = await this.#redis.lrange(this.#keys.calls, 0, -1);
    return lines
      .map((line) => JSON.parse(line) as ProbedCall)
      .filter((call) =>
        Object.entries(like).every(([name, value]) => call[name as keyof ProbedCall] === value),
      );
  }

  /** Waits for `count` such calls, and answers the last of them. */
  async call(like: Partial<ProbedCall>, count = 1): Promise<ProbedCall> {
    const what = `${count} × ${JSON.stringify(like)}`;
    return vi.waitFor(
      async () => {
        const found = await this.calls(like);
        expect(found.length, what).toBeGreaterThanOrEqual(count);
        return found[count - 1] as ProbedCall;
      },
      { timeout: PATIENCE_MS, interval: 20 },
    );
  }

  /** The next `count` calls by readers, or by workers, wait for the gate; those of a key, if it is told. */
  async holdNext(
    by: Caller,
    options: { count?: number; how?: Hold; key?: string } = {},
  ): Promise<void> {
    const { count = 1, how = 'obedient', key = '' } = options;
    const holds = Array.from({ length: count }, () => how);
    await this.#redis.rpush(this.#keys.holds(by, key), ...holds);
  }

  /** Lets held calls go on: as many as `count`, or as come to wait later. */
  async openGate(count = 1): Promise<void> {
    await this.#redis.rpush(this.#keys.gate, ...Array.from({ length: count }, () => 'open'));
  }

  /** What loads that start from now on find at their origin. */
  async setOrigin(key: string, state: string): Promise<void> {
    await this.#redis.set(this.#keys.origin(key), state);
  }

  /** Loads of this key fail from now on. */
  async failFrom(key: string): Promise<void> {
    await this.#redis.sadd(this.#keys.failing, key);
  }

  async healFrom(key: string): Promise<void> {
    await this.#redis.srem(this.#keys.failing, key);
  }
}
