import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { pack, unpack } from 'msgpackr';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** JSON data as few bytes. */
export function packed(value: unknown): Promise<Buffer> {
  return zip(pack(value));
}

/** What was packed; null where there is nothing, or bytes that nobody can read. */
export async function unpacked(bytes: Buffer | null): Promise<unknown> {
  if (bytes === null) return null;
  try {
    return unpack(await unzip(bytes));
  } catch {
    return null;
  }
}
