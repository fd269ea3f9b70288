import type { Clock } from '../core/clock.ts';
import type { History } from '../redis/history.ts';

const HOUR_MS = 3_600_000;
/** Heat of later tells of the next hour. */
const LATEST_MS = 15 * 60_000;

/** Sees to it that each hour's hottest keys are written down when it is over, by one scheduler of the fleet. */
export class HistoryRecorder {
  readonly #histories: readonly Pick<History, 'record'>[];
  readonly #clock: Clock;
  #recorded = -1;

  constructor(histories: readonly Pick<History, 'record'>[], clock: Clock) {
    this.#histories = histories;
    this.#clock = clock;
  }

  /** Rejects when Redis fails, and the next tick tries again. */
  async tick(): Promise<null> {
    const nowMs = this.#clock.now();
    const hour = Math.floor(nowMs / HOUR_MS) - 1;
    const isInTime = nowMs - (hour + 1) * HOUR_MS <= LATEST_MS;
    if (hour !== this.#recorded && isInTime) {
      await Promise.all(this.#histories.map((history) => history.record(hour, nowMs)));
      this.#recorded = hour;
    }
    return null;
  }
}
