import { morning } from './morning.ts';
import { type Read, recordedReads } from './trace.ts';

/** Recorded DNS lookups, or a morning on which an application's users come back. */
export type TraceName = 'dns' | 'morning';

/** All reads of a trace, in order of time. */
export function readsOf(trace: TraceName): readonly Read[] {
  return trace === 'morning' ? morning('today') : recordedReads();
}
