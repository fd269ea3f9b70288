import type { LoadTarget } from '../loaders/run-loader.ts';
import { decodeEntry, type Entry } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { EntryPlace } from '../redis/fence.ts';
import { readable } from './readable.ts';

/** An entry with an ETag whose value is readable: its loader may say that it still holds. */
export interface Confirmable {
  readonly entry: Entry;
  readonly value: unknown;
  readonly etag: string;
}

/**
 * The entry in place, to be asked for under its key's lock. Null where a loader that is told its ETag could
 * only confirm what nobody can read: damaged, of another codec, or refused by the schema. Never rejects:
 * without it the load is a full one.
 */
export async function confirmable(
  store: EntryStore,
  target: LoadTarget & EntryPlace,
): Promise<Confirmable | null> {
  try {
    const bytes = await store.read(target);
    const found = await readable(target.loader, bytes);
    const entry = bytes && decodeEntry(bytes);
    if (!entry || !found?.isReadable || found.etag === null) return null;
    return { entry, value: found.value, etag: found.etag };
  } catch {
    return null;
  }
}
