/** Every default of Everwarm, in one table. Spans are milliseconds; docs/options.md is held against it. */
export const DEFAULTS = {
  redisUrl: 'redis://127.0.0.1:6379',
  namespace: 'everwarm',

  /** A read that Redis has not answered by then goes to the loader. */
  readTimeoutMs: 250,
  /** A load that has not settled by then is aborted and counts as failed. */
  loadTimeoutMs: 30_000,
  /** An expired value is served for so long while it is loaded anew in the background. */
  staleWhileRevalidateMs: 0,
  /** Longest life of a value in the in-process tier. */
  memoryTtlMs: 10_000,
  /** Share of answers without a value, of keys that had one, from which they are not believed. */
  emptyGuardShare: 0.5,
  /** So many answers are needed before they are judged. */
  emptyGuardAtLeast: 10,
  /** Life of the lock of a load; renewed every third of it. */
  lockTtlMs: 3_000,
  /** A write to Redis that has not been answered by then has an unknown outcome. */
  writeTimeoutMs: 1_000,

  /** Values that are longer than that when encoded are compressed, by loaders that compress. */
  compressAboveBytes: 1_024,

  /** Counted reads are sent to the tracker this often, at most ttl/16, at least 100 ms. */
  flushIntervalMs: 1_000,
  /** Keys per second a process records in full; above it keys are sampled. */
  recordRate: 2_000,
  /** Keys whose reads may wait in a process for the next flush. */
  maxPendingKeys: 50_000,
  /** Keys tracked per loader; the coldest leave first. */
  maxTrackedKeys: 1_000_000,

  /** Longest time between two ticks that find work, at most ttl/20, at least 50 ms. */
  tickIntervalMs: 250,
  /** Shortest life of a claim; longer where three leads are. */
  claimTtlMs: 2_000,
  /** XFetch's beta: above 1 earlier, below 1 later. */
  beta: 1,
  /** Refreshes spread over this share of the ttl. */
  spread: 0.1,
  /** Recent reads (half-life 4 · ttl) that make a key worth refreshing, until waste tells better. */
  threshold: 8,
  /** Share of refreshes whose value nobody reads. */
  wasteBudget: 0.3,
  /** A refresh starts at least this long before expiry. */
  minLeadMs: 0,

  /** The loads of a warm-up are spread over so long. */
  spreadOverMs: 60_000,
  /** A warm-up that nobody could start in time is started so much later at most. */
  catchUpMs: 3_600_000,

  /** Loader calls at a time of one `warm()`. */
  warmConcurrency: 10,
  /** `ready({ warm: true })` waits for so long. */
  warmTimeoutMs: 30_000,
  /** Loader calls at a time, per loader and process. */
  concurrency: 50,
  /** How long a closing worker lets running loads finish before it aborts them. */
  graceMs: 10_000,
} as const;
