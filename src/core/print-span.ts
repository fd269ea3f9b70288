const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A span for people, in the largest unit of which there are two, or one second: `12.3 s`, `340 ms`, `5.2 min`. */
export function printSpan(ms: number): string {
  const size = Math.abs(ms);
  for (const [unit, unitMs] of UNITS) {
    if (size >= 2 * unitMs || (unit === 's' && size >= unitMs)) {
      return `${(ms / unitMs).toFixed(1)} ${unit}`;
    }
  }
  return `${Math.round(ms)} ms`;
}
