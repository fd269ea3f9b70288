import type { Clock } from '../core/clock.ts';
import { BEAT_MS, type Beat, type Presence } from '../redis/presence.ts';
import type { RefreshPause } from '../redis/refresh-pause.ts';
import type { Tick } from './tick-loop.ts';

/** A pause takes effect within so long; a worker asks before each job. */
const ASK_MS = 1_000;

export interface PausableTickParts {
  readonly tick: Tick;
  readonly pause: RefreshPause;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly mode: 'active' | 'shadow';
  readonly tickMs: number;
}

/** A scheduler's tick, but for while its loader is paused: then nothing is claimed, and dues stay. */
export class PausableTick {
  readonly #parts: PausableTickParts;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #beatAtMs = Number.NEGATIVE_INFINITY;
  #isPaused = false;

  constructor(parts: PausableTickParts) {
    this.#parts = parts;
  }

  async run(): Promise<number | null> {
    const { tick, pause, clock } = this.#parts;
    const nowMs = clock.now();
    this.#beat(nowMs);
    if (nowMs - this.#askedAtMs >= ASK_MS) {
      this.#isPaused = (await pause.sinceAtMs()) !== null;
      this.#askedAtMs = nowMs;
    }
    return this.#isPaused ? null : tick();
  }

  #beat(nowMs: number): void {
    if (nowMs - this.#beatAtMs < BEAT_MS) return;
    this.#beatAtMs = nowMs;
    const { presence, mode, tickMs } = this.#parts;
    const atMs = Math.floor(nowMs);
    const fields: Beat = mode === 'shadow' ? { shadowAtMs: atMs } : { schedulerAtMs: atMs };
    void presence.beat({ ...fields, tickMs });
  }
}
