import type { Events } from '../core/events.ts';
import { type Checked, checkWith } from '../loaders/check-with.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { LoadTarget } from '../loaders/run-loader.ts';
import type { StandardSchemaV1 } from '../loaders/schema.ts';
import type { EntryHeader } from '../redis/entry.ts';
import { readStored, type StoredValue } from '../redis/stored-value.ts';

/** An entry whose value its loader's schema refuses: a miss like any unreadable one. */
export interface Mismatched {
  readonly header: EntryHeader;
  readonly isReadable: false;
  readonly etag: null;
  readonly issues: string;
}

/** What was found under an entry's key. */
export type Found = StoredValue | Mismatched | null;

/** What the bytes hold, at once; as far as the loader's schema takes it, if it is to `validateOnRead`. */
export function readable(loader: AnyLoader, bytes: Buffer | null): Found | Promise<Found> {
  if (bytes === null) return null;
  const stored = readStored(bytes, loader.format);
  return loader.validateOnRead ? matching(loader, stored) : stored;
}

export function reportMismatch(
  events: Events,
  { loader, key }: LoadTarget,
  { issues }: Mismatched,
): void {
  events.emit('schema:mismatched', { loader: loader.name, key, at: 'read', issues });
}

async function matching(
  { schema, loadTimeoutMs }: AnyLoader,
  stored: StoredValue,
): Promise<StoredValue | Mismatched> {
  if (!stored.isReadable || schema === undefined) return stored;
  const { header, value } = stored;
  if (header.notFound) return stored;
  const checked = await checkedWithin(schema, value, loadTimeoutMs);
  if ('issues' in checked) return { header, isReadable: false, etag: null, issues: checked.issues };
  return { header, value: checked.value, etag: stored.etag, isReadable: true };
}

/** As `checkWith`, but a validator that does not settle keeps no reader waiting for ever. */
async function checkedWithin(
  schema: StandardSchemaV1,
  value: unknown,
  timeoutMs: number,
): Promise<Checked> {
  const checking = checkWith(schema, value);
  if (!(checking instanceof Promise)) return checking;
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<Checked>((resolve) => {
    const issues = `the validator did not answer within loadTimeout (${timeoutMs} ms)`;
    timeout = setTimeout(() => resolve({ issues }), timeoutMs);
  });
  return Promise.race([checking, late]).finally(() => clearTimeout(timeout));
}
