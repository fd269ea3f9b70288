import { tableLines } from '../core/table-lines.ts';
import type { PolicyResult } from './result.ts';

export type Results = ReadonlyMap<string, PolicyResult>;

interface Column {
  /** Over two lines. */
  readonly title: readonly [string, string];
  readonly of: (result: PolicyResult) => string;
}

const COLUMNS: readonly Column[] = [
  { title: ['reads that', 'wait %'], of: (r) => decimal(r.waitPercent) },
  { title: ['hot reads that', 'wait %'], of: (r) => decimal(r.hotWaitPercent) },
  { title: ['stale', 'reads %'], of: (r) => decimal(r.stalePercent) },
  { title: ['origin', 'loads'], of: (r) => grouped(r.originLoads) },
  { title: ['extra', 'loads %'], of: (r) => decimal(r.extraLoadsPercent) },
  { title: ['wasted', 'refreshes %'], of: (r) => decimal(r.wastedPercent) },
  { title: ['busiest second', 'over mean'], of: (r) => decimal(r.peakToMean) },
  { title: ["of the oracle's", 'avoidable waits %'], of: (r) => decimal(r.ofOraclePercent) },
];

/** Titles and cells as texts, the policy's name first. */
export function cellsOf(results: Results): {
  readonly titles: readonly (readonly [string, string])[];
  readonly rows: readonly (readonly string[])[];
} {
  return {
    titles: [['', 'policy'], ...COLUMNS.map(({ title }) => title)],
    rows: [...results].map(([name, result]) => [name, ...COLUMNS.map(({ of }) => of(result))]),
  };
}

/** The results as a table of plain text. */
export function formatTable(results: Results): string {
  const { titles, rows } = cellsOf(results);
  const lines = [titles.map(([first]) => first), titles.map(([, second]) => second), ...rows];
  return tableLines(lines).join('\n');
}

/** A whole number with its thousands set apart. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function decimal(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}
