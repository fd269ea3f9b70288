import { ReadCounts } from '../read/read-counts.ts';
import { READ_RESULTS } from '../redis/fleet-counts.ts';
import { METRICS } from './metrics.ts';
import type { RoleMetrics } from './role-metrics.ts';

/** Makes the counts of each loader's reads, and reads them when they are asked for; null: nobody asks. */
export function readMetrics(metrics: RoleMetrics | null): ((loader: string) => ReadCounts) | null {
  if (metrics === null) return null;
  const all = new Map<string, ReadCounts>();
  const reads = metrics.family(METRICS.reads);
  const durations = metrics.family(METRICS.readDuration);
  metrics.onCollect(() => {
    for (const [loader, counts] of all) {
      for (const result of READ_RESULTS) reads.set([loader, result], counts[result]);
    }
  });
  return (loader) => {
    const labels = [loader];
    const onTimed = (seconds: number): void => durations.observe(labels, seconds);
    const counts = new ReadCounts({ timeOneIn: metrics.timeOneIn, onTimed });
    all.set(loader, counts);
    metrics.begin('loader', loader);
    return counts;
  };
}
