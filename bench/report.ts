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
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) => row.map((cell, column) => align(cell, widths[column] ?? 0, column)).join('  '))
    .join('\n');
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function align(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function formatNumber(value: number): string {
  return value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en-US');
}
