import { beforeEach } from 'vitest';
import {
  type Cache,
  defineLoader,
  type Loader,
  type LoaderDefinition,
  notModified,
  withEtag,
} from '../../src/index.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { decodeEntry, type Entry, encodeEntry } from '../../src/redis/entry.ts';
import { entryKey, openCache } from './cache.ts';
import { connect, uniqueNamespace } from './redis.ts';

export interface Page {
  readonly text: string;
}

/** An origin with ETags: one page for all keys, and what the loader was told. */
class Origin {
  text = 'one';
  etag = '"1"';
  readonly told: (string | undefined)[] = [];
  /** Answers that carry a value. */
  full = 0;

  change(text: string, etag: string): void {
    this.text = text;
    this.etag = etag;
  }

  answer(etag: string | undefined) {
    this.told.push(etag);
    if (etag === this.etag) return notModified();
    this.full++;
    return withEtag({ text: this.text } as Page, this.etag);
  }
}

export let namespace: string;
export let origin: Origin;

/** Both anew for each test of the file that calls it. */
export function eachWithOrigin(): void {
  beforeEach(() => {
    namespace = uniqueNamespace();
    origin = new Origin();
  });
}

export type Options = Partial<LoaderDefinition<string, Page>>;

export function pageLoader(options: Options = {}): Loader<string, Page> {
  return defineLoader<string, Page>({
    name: 'page',
    ttl: '10m',
    load: async (_id, { etag }) => origin.answer(etag),
    ...options,
  });
}

export const open = (loader: AnyLoader): Promise<Cache> =>
  openCache({ namespace, loaders: [loader] });

export async function entryOf(loader: AnyLoader, key = 'a'): Promise<Entry | null> {
  const bytes = await connect().getBuffer(entryKey(namespace, loader, key));
  return bytes && decodeEntry(bytes);
}

/** Makes the entry stale, as it is: from now on a reader loads it. */
export async function expire(loader: AnyLoader, key = 'a'): Promise<void> {
  const redis = connect();
  const bytes = (await redis.getBuffer(entryKey(namespace, loader, key))) as Buffer;
  const entry = decodeEntry(bytes) as Entry;
  const header = { ...entry.header, expiresAtMs: Date.now() - 10 };
  const expired = encodeEntry(header, entry.payload, entry.extension);
  await redis.set(entryKey(namespace, loader, key), expired, 'KEEPTTL');
}
