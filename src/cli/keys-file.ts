import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { withoutByteOrderMark } from '../core/byte-order-mark.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { decodeKey } from '../loaders/key-codec.ts';

/** What a decoder puts in place of bytes that are no text, as those of a compressed file. */
const UNREADABLE = '\uFFFD';

/**
 * The key texts of a file, one a line as dashboards and events show them; empty lines are none. Lines that
 * are no key are told with their number and passed over.
 *
 * @throws EverwarmError KEYS_FILE when the file does not exist or cannot be read
 */
export async function* keysOfFile(
  path: string,
  onBad: (line: number, why: string) => void,
): AsyncGenerator<string> {
  if (!existsSync(path)) throw new EverwarmError('KEYS_FILE', `keys file ${path} does not exist`);
  let number = 0;
  try {
    for await (const line of createInterface({
      input: createReadStream(path),
      crlfDelay: Infinity,
    })) {
      number++;
      const text = number === 1 ? withoutByteOrderMark(line) : line;
      if (text === '') continue;
      const problem = problemOf(text);
      if (problem === null) yield text;
      else onBad(number, problem);
    }
  } catch (cause) {
    const message = `keys file ${path} could not be read: ${messageOf(cause)}`;
    throw new EverwarmError('KEYS_FILE', message, { cause });
  }
}

/** Null: the line is a key. */
function problemOf(line: string): string | null {
  if (line.includes(UNREADABLE)) return 'is no UTF-8 text';
  try {
    decodeKey(line);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
