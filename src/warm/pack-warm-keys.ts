import type { WarmKey } from '../load/warm-load.ts';
import { MOST_JOB_BYTES, MOST_KEYS_PER_JOB } from '../policy/batching.ts';

/** The keys of each job: as many as it may carry, so that one `loadMany` serves most. */
export function packWarmKeys(keys: readonly WarmKey[]): WarmKey[][] {
  const jobs: WarmKey[][] = [];
  let job: WarmKey[] = [];
  let bytes = 0;
  for (const one of keys) {
    const keyBytes = Buffer.byteLength(one.key);
    if (job.length === 0 || job.length === MOST_KEYS_PER_JOB || bytes + keyBytes > MOST_JOB_BYTES) {
      job = [];
      bytes = 0;
      jobs.push(job);
    }
    job.push(one);
    bytes += keyBytes;
  }
  return jobs;
}
