import type { FireTimes } from './fire-times.ts';

/** One run that a plan asks for. */
export interface Fire {
  /** Local time of its schedule, or of its peak where that is what the plan goes by: the same in every process. */
  readonly name: string;
  readonly startAtMs: number;
  readonly peakAtMs: number | null;
}

export interface PlanTimesParts {
  readonly schedule: FireTimes | null;
  readonly peak: FireTimes | null;
  /** Null: measured, if a start is to be reckoned from the peak at all. */
  readonly leadMs: number | null;
  /** The start is `lead` before the peak, not when the schedule says. */
  readonly isLedByPeak: boolean;
}

/** A peak without a scheduled time since the last one is none of the plan's; so many in a row are passed over. */
const MOST_PASSED_OVER = 400;

/**
 * When the runs of a plan start. By its schedule: then, with a peak to follow. By its peak: a lead before
 * each peak, with a schedule before each that has a scheduled time since the last one.
 */
export class PlanTimes {
  readonly #parts: PlanTimesParts;

  constructor(parts: PlanTimesParts) {
    this.#parts = parts;
  }

  /** Whether the lead is what the last run took, and so has to be asked for. */
  get isMeasured(): boolean {
    return this.#parts.isLedByPeak && this.#parts.leadMs === null;
  }

  /** The last run that was to have started by then. */
  latest(nowMs: number, measuredLeadMs: number): Fire | null {
    const { schedule, peak, isLedByPeak } = this.#parts;
    if (!isLedByPeak) return this.#scheduled(schedule?.previous(nowMs) ?? null);
    const leadMs = this.#parts.leadMs ?? measuredLeadMs;
    let peakMs = peak?.previous(nowMs + leadMs) ?? null;
    for (let tries = 0; peakMs !== null && tries < MOST_PASSED_OVER; tries++) {
      if (this.#isOurs(peakMs)) return this.#led(peakMs, leadMs);
      peakMs = peak?.previous(peakMs - 1) ?? null;
    }
    return null;
  }

  /** The first run that is to start later. */
  next(nowMs: number, measuredLeadMs: number): Fire | null {
    const { schedule, peak, isLedByPeak } = this.#parts;
    if (!isLedByPeak) return this.#scheduled(schedule?.next(nowMs) ?? null);
    const leadMs = this.#parts.leadMs ?? measuredLeadMs;
    let peakMs = peak?.next(nowMs + leadMs) ?? null;
    for (let tries = 0; peakMs !== null && tries < MOST_PASSED_OVER; tries++) {
      if (this.#isOurs(peakMs)) return this.#led(peakMs, leadMs);
      peakMs = peak?.next(peakMs) ?? null;
    }
    return null;
  }

  /** The peak that a run started now, by hand, is for. */
  peakAfter(nowMs: number): number | null {
    const { schedule, peak, leadMs } = this.#parts;
    if (peak) return peak.next(nowMs);
    return leadMs === null || !schedule ? null : nowMs + leadMs;
  }

  #scheduled(startAtMs: number | null): Fire | null {
    const { schedule } = this.#parts;
    if (startAtMs === null || !schedule) return null;
    return {
      name: schedule.zone.text(startAtMs),
      startAtMs,
      peakAtMs: this.peakAfter(startAtMs),
    };
  }

  #led(peakAtMs: number, leadMs: number): Fire | null {
    const { peak } = this.#parts;
    if (!peak) return null;
    return { name: peak.zone.text(peakAtMs), startAtMs: peakAtMs - leadMs, peakAtMs };
  }

  #isOurs(peakMs: number): boolean {
    const { schedule, peak } = this.#parts;
    if (!schedule) return true;
    const scheduledMs = schedule.previous(peakMs - 1);
    if (scheduledMs === null) return false;
    const lastPeakMs = peak?.previous(peakMs - 1) ?? null;
    return lastPeakMs === null || scheduledMs >= lastPeakMs;
  }
}
