import type { Redis } from 'ioredis';
import { beforeEach } from 'vitest';
import { type EntryHeader, FORMAT_VERSION } from '../../src/redis/entry.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import type { EntryPlace, LockRequest } from '../../src/redis/fence.ts';
import { readStored } from '../../src/redis/stored-value.ts';
import { entryBytes } from './cache.ts';
import { connect, uniqueNamespace } from './redis.ts';

export const LIFE_MS = 60_000;
export const CREATED_AT_MS = 1_790_000_000_000;
export const NOW_MS = CREATED_AT_MS + 1_000;
export const DOWN = {
  outcome: { kind: 'failed', code: 'LOADER_FAILED', message: 'the origin is down' },
  atMs: NOW_MS + 20.5,
} as const;

export let redis: Redis;
export let store: EntryStore;
export let place: EntryPlace;

/** One entry's place in a namespace of its own, anew for each test of the file that calls it. */
export function eachWithPlace(): void {
  beforeEach(() => {
    redis = connect();
    store = new EntryStore(redis);
    const entryKey = `${uniqueNamespace()}:{a}`;
    place = { entryKey, lockKey: `${entryKey}:lock` };
  });
}

export function request(token: string, more: Partial<LockRequest> = {}): LockRequest {
  return { token, lockTtlMs: 5_000, seenCreatedAtMs: 0, waitingSinceMs: NOW_MS, ...more };
}

export function bytesOf(value: unknown, more: Partial<EntryHeader> = {}): Buffer {
  const times = { createdAtMs: CREATED_AT_MS, expiresAtMs: CREATED_AT_MS + LIFE_MS };
  return entryBytes(value, { ...times, ...more });
}

export function plant(bytes: Buffer | string): Promise<unknown> {
  return redis.set(place.entryKey, bytes, 'PX', LIFE_MS);
}

export async function stored(): Promise<unknown> {
  const bytes = await redis.getBuffer(place.entryKey);
  const found = bytes && readStored(bytes);
  return found?.isReadable ? found.value : undefined;
}

export function newer(): Buffer {
  const bytes = bytesOf('newer');
  bytes[2] = FORMAT_VERSION + 1;
  return bytes;
}
