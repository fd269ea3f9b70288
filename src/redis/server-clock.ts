import { type Clock, processClock } from '../core/clock.ts';
import { onServerChange } from './cluster-connection.ts';
import { type RedisClient, serverOfSlot } from './redis-client.ts';

const SAMPLES = 3;
const EVERY_MS = 30_000;
/** More than a measurement can be wrong by: the server's clock was put forward or back. */
const STEP_MS = 1_000;
/** On a cluster all processes ask the master of this slot. */
const CLOCK_SLOT = 0;

/**
 * The queue server's clock, as every process sees it: the offset of its TIME to this process's
 * monotonic clock, measured by the round trip that took least, every 30 s. Until the first answer,
 * and without a server, this process's own clock.
 */
export class ServerClock implements Clock {
  readonly #redis: RedisClient;
  readonly #timer: NodeJS.Timeout;
  readonly #onStep = new Set<() => void>();
  #offsetMs = 0;
  #isMeasured = false;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    onServerChange(redis, this.#refresh);
    this.#timer = setInterval(this.#refresh, EVERY_MS).unref();
  }

  now(): number {
    return processClock.now() + this.#offsetMs;
  }

  /** Calls back whenever a measurement finds the server's clock put forward or back by over a second. */
  onStep(listener: () => void): void {
    this.#onStep.add(listener);
  }

  /** Measures the offset; rejects when the server does not answer, and then keeps the last one. */
  async measure(): Promise<void> {
    const server = serverOfSlot(this.#redis, CLOCK_SLOT);
    const previousMs = this.#offsetMs;
    let best = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const sentAtMs = processClock.now();
      const [seconds, micros] = await server.time();
      const roundTripMs = processClock.now() - sentAtMs;
      if (roundTripMs >= best) continue;
      best = roundTripMs;
      this.#offsetMs =
        Number(seconds) * 1_000 + Number(micros) / 1_000 - (sentAtMs + roundTripMs / 2);
    }
    const isStep = this.#isMeasured && Math.abs(this.#offsetMs - previousMs) > STEP_MS;
    this.#isMeasured = true;
    if (isStep) for (const listener of this.#onStep) listener();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  readonly #refresh = (): void => {
    this.measure().catch(() => undefined); // The connection reports its own errors.
  };
}
