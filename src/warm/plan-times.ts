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
    const lastMs = peak?.previous(nowMs + leadMs) ?? null;
    if (lastMs === null || !schedule) return this.#led(lastMs, leadMs);
    return this.#led(this.#announced(schedule.previous(lastMs - 1)), leadMs);
  }

  /** The first run that is to start later. */
  next(nowMs: number, measuredLeadMs: number): Fire | null {
    const { schedule, peak, isLedByPeak } = this.#parts;
    if (!isLedByPeak) return this.#scheduled(schedule?.next(nowMs) ?? null);
    const leadMs = this.#parts.leadMs ?? measuredLeadMs;
    const nextMs = peak?.next(nowMs + leadMs) ?? null;
    if (nextMs === null || !schedule) return this.#led(nextMs, leadMs);
    const isOurs = this.#announced(schedule.previous(nextMs - 1)) === nextMs;
    return this.#led(isOurs ? nextMs : this.#announced(schedule.next(nextMs - 1)), leadMs);
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

  #led(peakAtMs: number | null, leadMs: number): Fire | null {
    const { peak } = this.#parts;
    if (!peak || peakAtMs === null) return null;
    return { name: peak.zone.text(peakAtMs), startAtMs: peakAtMs - leadMs, peakAtMs };
  }

  /** The plan's peak for a scheduled time: the next one. Peaks that no scheduled time comes before are none of the plan's. */
  #announced(scheduledMs: number | null): number | null {
    return scheduledMs === null ? null : (this.#parts.peak?.next(scheduledMs) ?? null);
  }
}
