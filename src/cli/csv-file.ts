import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { CsvRows } from '../simulate/csv-rows.ts';

/** How much of a file has been read, 0 to 1. */
export type OnShare = (share: number) => void;

const GZIP = 0x8b1f;
const MOST_MALFORMED = 0.01;

/**
 * Reads a CSV file, plain or gzip, row by row.
 *
 * @throws EverwarmError naming the file, when it cannot be read or more than 1 % of its rows are malformed
 */
export async function readCsvFile(path: string, rows: CsvRows, onShare?: OnShare): Promise<void> {
  try {
    await using file = await open(path);
    await pump(file, rows, onShare);
  } catch (error) {
    if (error instanceof EverwarmError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'does not exist' : `cannot be read: ${messageOf(error)}`;
    throw new EverwarmError('TRACE_FILE', `${path} ${why}`, { cause: error });
  }
  const { malformed } = rows;
  if (malformed.count <= MOST_MALFORMED * rows.rows) return;
  const what = `${malformedText(path, rows)}; at most 1 % may be`;
  throw new EverwarmError('TRACE_FILE', what);
}

/** How many rows are malformed, and the first of them. */
export function malformedText(path: string, { malformed, rows }: CsvRows): string {
  const { count, first } = malformed;
  const named = first.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ');
  const more = count > first.length ? `; and ${count - first.length} more` : '';
  return `${path}: ${count} of ${rows} rows are malformed (${named}${more})`;
}

async function pump(file: FileHandle, rows: CsvRows, onShare?: OnShare): Promise<void> {
  const { size, isFile } = await file
    .stat()
    .then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
  // It is read twice.
  if (!isFile) throw new Error('it is not a regular file');
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  const bytes = file.createReadStream({ start: 0, autoClose: false });
  const decoder = new StringDecoder('utf8');
  let refusal: unknown = null;
  const push = (text: string): void => {
    try {
      rows.push(text);
    } catch (error) {
      // The pipeline may tell of its own end instead.
      refusal = error;
      throw error;
    }
  };
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      push(decoder.write(chunk));
      onShare?.(bytes.bytesRead / size);
    }
    push(decoder.end());
  };
  const isGzip = buffer.readUInt16LE() === GZIP;
  const reading = isGzip ? pipeline(bytes, createGunzip(), take) : pipeline(bytes, take);
  await reading.catch((error: unknown) => {
    throw refusal ?? error;
  });
  rows.end();
}
