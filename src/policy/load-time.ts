const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const DEVIATIONS = 4;
const OUTLIER_FACTOR = 4;
const SHORTEST_SAMPLE_MS = 1;

/** A smoothed span of time, in ms: of a load (δ), or of a job's wait in the queue. */
export interface Smoothed {
  readonly meanMs: number;
  /** Mean absolute deviation from the mean. */
  readonly deviationMs: number;
}

/**
 * Takes in one sample as TCP does for round trips (RFC 6298, gains 1/8 and 1/4). A sample counts as at
 * least 1 ms and at most four times mean + deviation, so that one outlier cannot own the mean.
 *
 * @param previous - null before the first sample; what has decayed below 1 ms counts as null, as
 * otherwise that clamp would hide the next samples
 */
export function smooth(previous: Smoothed | null, sampleMs: number): Smoothed {
  const knownMs = previous === null ? 0 : previous.meanMs + previous.deviationMs;
  const atLeastMs = Math.max(sampleMs, SHORTEST_SAMPLE_MS);
  if (previous === null || knownMs < SHORTEST_SAMPLE_MS) {
    return { meanMs: atLeastMs, deviationMs: atLeastMs / 2 };
  }
  const clampedMs = Math.min(atLeastMs, OUTLIER_FACTOR * knownMs);
  const offMs = Math.abs(clampedMs - previous.meanMs);
  return {
    meanMs: previous.meanMs + MEAN_GAIN * (clampedMs - previous.meanMs),
    deviationMs: previous.deviationMs + DEVIATION_GAIN * (offMs - previous.deviationMs),
  };
}

/** What is left of a smoothed span after `elapsedMs` without a sample: it halves every half-life. */
export function decay(previous: Smoothed, elapsedMs: number, halfLifeMs: number): Smoothed {
  const left = 2 ** (-Math.max(elapsedMs, 0) / halfLifeMs);
  return { meanMs: previous.meanMs * left, deviationMs: previous.deviationMs * left };
}

/** The span that is rarely exceeded, in ms: mean + 4 deviations (RFC 6298); 0 if nothing is known. */
export function upperBound(s: Smoothed | null): number {
  return s === null ? 0 : s.meanMs + DEVIATIONS * s.deviationMs;
}
