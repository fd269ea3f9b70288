import type { KeyNames } from './key-names.ts';

interface ReadableJob {
  readonly loader: string;
  readonly version?: unknown;
  readonly reason?: unknown;
  readonly deadlineAtMs?: unknown;
  readonly keys: readonly unknown[];
}

/** The keys of a job; none of what is no refresh job. */
export function keysOfJob(jobData: unknown): string[] {
  if (!isReadableJob(jobData)) return [];
  return jobData.keys.filter((key) => typeof key === 'string');
}

export function formatJobName(job: { readonly name?: unknown; readonly data?: unknown }): string {
  if (!isReadableJob(job.data)) return String(job.name ?? '');
  const { loader, keys } = job.data;
  return `${loader} × ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
}

export function formatJobData(jobData: unknown, names: KeyNames): unknown {
  if (!isReadableJob(jobData)) return names.isHiding ? 'hidden' : jobData;
  const { loader, version, reason, deadlineAtMs, keys } = jobData;
  const shown = keys.map((key) => (typeof key === 'string' ? names.shown(key) : key));
  return { loader, version, reason, deadline: formatInstant(deadlineAtMs), keys: shown };
}

/** What a job came to, its failures under the names of their keys. */
export function formatJobResult(result: unknown, names: KeyNames): unknown {
  if (!names.isHiding || typeof result !== 'object' || result === null) return result;
  if (!('failed' in result) || !Array.isArray(result.failed)) return result;
  const failed = result.failed.map(
    (one: { readonly key?: unknown; readonly error?: unknown } | null) =>
      typeof one?.key === 'string'
        ? { key: names.shown(one.key), error: names.masked(String(one.error), one.key) }
        : one,
  );
  return { ...result, failed };
}

/** Anybody can put anything on a queue, and one formatter that throws would blank the whole board. */
function isReadableJob(jobData: unknown): jobData is ReadableJob {
  if (typeof jobData !== 'object' || jobData === null) return false;
  return 'loader' in jobData && typeof jobData.loader === 'string' && hasKeys(jobData);
}

function hasKeys(jobData: object): boolean {
  return 'keys' in jobData && Array.isArray(jobData.keys);
}

function formatInstant(atMs: unknown): unknown {
  const date = new Date(typeof atMs === 'number' ? atMs : Number.NaN);
  return Number.isNaN(date.getTime()) ? atMs : date.toISOString();
}
