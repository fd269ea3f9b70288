import { inspect } from 'node:util';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import { readStored } from '../../src/redis/stored-value.ts';
import type { DashboardContext } from '../context.ts';

const MOST_BYTES = 256 * 1_024;
const MOST_SHOWN = 20_000;

/** What is cached under a key, as text for people; or why it is not shown. */
export async function decodedValue(
  { servers: { cache }, keys, settings }: DashboardContext,
  loader: AnyLoader,
  { key, bytes }: { readonly key: string; readonly bytes: number },
): Promise<{ readonly text: string; readonly isShown: boolean }> {
  const instead = (text: string) => ({ text, isShown: false });
  if (settings.hideValues) return instead('Values are hidden on this dashboard.');
  if (bytes === 0) return instead('There is no entry.');
  if (bytes > MOST_BYTES) return instead('The value is too long to be shown here.');
  const entryKey = keys.entry(loader, key);
  const stored = await withinTimeout(cache.getBuffer(entryKey), `reading ${entryKey}`);
  const read = stored && readStored(stored, loader.format);
  if (!read?.isReadable) return instead('What is stored cannot be decoded: readers load it anew.');
  if (read.header.notFound) return instead('The entry says that there is no value.');
  return { text: print(read.value), isShown: true };
}

function print(value: unknown): string {
  const text = inspect(value, {
    depth: 8,
    breakLength: 80,
    customInspect: false,
    maxArrayLength: 200,
    maxStringLength: MOST_SHOWN,
  });
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} …` : text;
}
