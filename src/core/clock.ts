/** Where "now" comes from: injected everywhere, so that tests own the time. */
export interface Clock {
  /** Epoch milliseconds, possibly fractional. */
  now(): number;
}

/** This machine's wall clock, read through the monotonic one: a stepped system clock does not move it. */
export const processClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
};
