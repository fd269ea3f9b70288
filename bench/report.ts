import { tableLines } from '../src/core/table-lines.ts';
import type { Summary } from './statistics.ts';

export interface Row {
  readonly name: string;
  readonly summary: Summary;
  /** Against what the row's figure is set; left out for the row that the others are set against. */
  readonly against?: Summary;
}

/** A row per side: median, spread, and the ratio of the medians. */
export function formatTable(unit: string, rows: readonly Row[]): string {
  const cells = [
    ['', `${unit} (median)`, 'lowest', 'highest', 'ratio'],
    ...rows.map(({ name, summary, against }) => [
      name,
      formatNumber(summary.median),
      formatNumber(summary.lowest),
      formatNumber(summary.highest),
      against ? (summary.median / against.median).toFixed(2) : '',
    ]),
  ];
  return tableLines(cells).join('\n');
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function formatNumber(value: number): string {
  return value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en-US');
}
