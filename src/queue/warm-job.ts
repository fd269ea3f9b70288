/** What a warm-up's job carries, readable as it stands on the dashboard. The lists run in parallel. */
export interface WarmJobData {
  readonly loader: string;
  /** The loader's version it was planned for: workers of another leave it. */
  readonly version: number;
  readonly reason: 'warm';
  readonly runId: string;
  /** Instants of the queue server, epoch ms: after the deadline its keys are not loaded any more. */
  readonly enqueuedAtMs: number;
  readonly deadlineAtMs: number;
  /** An entry that is fresh until then is left; null: any fresh one. */
  readonly freshUntilMs: number | null;
  /** What is stored lives at least until then; null: for its ttl. */
  readonly untilMs: number | null;
  readonly keys: readonly string[];
  /** createdAt of the entry the warmer saw, or 0. */
  readonly seen: readonly number[];
  /** Of its keys that were done before it was put off. */
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

/** Null for data that no warm-up of Everwarm has made. */
export function parseWarmJob(data: unknown): WarmJobData | null {
  if (data === null || typeof data !== 'object') return null;
  const job = data as WarmJobData;
  const { version, enqueuedAtMs, deadlineAtMs, done, skipped, failed } = job;
  const numbers = [version, enqueuedAtMs, deadlineAtMs, done, skipped, failed];
  const isOurs =
    job.reason === 'warm' &&
    typeof job.runId === 'string' &&
    numbers.every(Number.isFinite) &&
    isInstantOrNull(job.freshUntilMs) &&
    isInstantOrNull(job.untilMs) &&
    Array.isArray(job.keys) &&
    Array.isArray(job.seen) &&
    job.keys.every((key) => typeof key === 'string') &&
    job.seen.every(Number.isFinite);
  return isOurs ? job : null;
}

function isInstantOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}
