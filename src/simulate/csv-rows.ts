import { withoutByteOrderMark } from '../core/byte-order-mark.ts';
import { EverwarmError, printValue } from '../core/errors.ts';

/** Rows that could not be used: how many, and the first of them. */
export interface Malformed {
  count: number;
  readonly first: { readonly line: number; readonly reason: string }[];
}

export interface CsvRowsOptions {
  /** The file, as messages name it. */
  readonly name: string;
  readonly required: readonly string[];
  /** One of them has to be there; cells of the others are empty texts. */
  readonly anyOf?: readonly string[];
  /** Takes one row, required columns first, then any of the others; answers why it cannot be used, else null. */
  readonly row: (cells: readonly string[], line: number) => string | null;
}

const NAMED = 5;
/** No row is that long: it is not a CSV file. */
const LONGEST_LINE = 1_000_000;

/**
 * Reads CSV text with a header as it comes, row by row. Cells may be quoted, but hold no line breaks. Keeps
 * nothing of a row.
 */
export class CsvRows {
  readonly malformed: Malformed = { count: 0, first: [] };
  readonly #options: CsvRowsOptions;
  #rest = '';
  #line = 0;
  #rows = 0;
  #columns = 0;
  /** The cells asked for; the same array for every row. */
  readonly #wanted: string[] = [];
  /** Where the columns asked for stand; null before the header. */
  #indices: readonly number[] | null = null;

  constructor(options: CsvRowsOptions) {
    this.#options = options;
  }

  /** Rows so far, malformed ones included. */
  get rows(): number {
    return this.#rows;
  }

  /** @throws EverwarmError when the header has not the columns, or a line is too long */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    if (this.#rest.length <= LONGEST_LINE) return;
    throw this.#error(`is not CSV text: line ${this.#line + 1} does not end`);
  }

  /** @throws EverwarmError when there was no row at all */
  end(): void {
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
    if (this.#indices === null) throw this.#error('is empty');
    if (this.#rows === 0) throw this.#error('has a header and no rows');
  }

  #take(text: string): void {
    this.#line++;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (this.#indices === null) {
      this.#indices = this.#readHeader(line);
      return;
    }
    if (line === '') return;
    this.#rows++;
    const reason = this.#read(line, this.#indices);
    if (reason === null) return;
    this.malformed.count++;
    if (this.malformed.first.length < NAMED) {
      this.malformed.first.push({ line: this.#line, reason });
    }
  }

  #read(line: string, indices: readonly number[]): string | null {
    const cells = line.includes('"') ? splitQuoted(line) : line.split(',');
    if (cells === null) return 'a quote that does not end';
    if (cells.length !== this.#columns) {
      return `${cells.length} columns, and the header has ${this.#columns}`;
    }
    const wanted = this.#wanted;
    for (let at = 0; at < indices.length; at++) wanted[at] = cells[indices[at] as number] ?? '';
    return this.#options.row(wanted, this.#line);
  }

  #readHeader(line: string): readonly number[] {
    const text = withoutByteOrderMark(line);
    const names = (splitQuoted(text) ?? []).map((name) => name.trim());
    const { required, anyOf = [] } = this.#options;
    const missing = required.filter((name) => !names.includes(name));
    const hasNone = anyOf.length > 0 && !anyOf.some((name) => names.includes(name));
    if (hasNone) missing.push(anyOf.join(' or '));
    if (text === '') throw this.#error('is empty, or begins with an empty line');
    if (missing.length > 0) {
      const what = `has no column ${missing.join(', ')} in its first line`;
      throw this.#error(`${what}, ${printValue(text)}`);
    }
    this.#columns = names.length;
    return [...required, ...anyOf].map((name) => names.indexOf(name));
  }

  #error(what: string): EverwarmError {
    return new EverwarmError('TRACE_FILE', `${this.#options.name} ${what}`);
  }
}

const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** Null: a quote is not where one may be. */
function splitQuoted(line: string): string[] | null {
  const cells: string[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const match = CELL.exec(line);
    if (match === null) return null;
    const [, quoted, plain, end] = match;
    cells.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '') return cells;
  }
}
