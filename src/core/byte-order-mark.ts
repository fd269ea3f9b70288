const BYTE_ORDER_MARK = '\uFEFF';

/** The first line of a file, without what some systems put before it. */
export function withoutByteOrderMark(line: string): string {
  return line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
}
