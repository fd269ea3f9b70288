/** Lines of a table, of rows of as many cells each: the first column to the left, the others to the right. */
export function tableLines(rows: readonly (readonly string[])[], gap = '  '): readonly string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  const aligned = (cell: string, at: number): string =>
    at === 0 ? cell.padEnd(widths?.[at] ?? 0) : cell.padStart(widths?.[at] ?? 0);
  return rows.map((cells) => cells.map(aligned).join(gap));
}
