import { beforeEach } from 'vitest';
import {
  type Cache,
  defineLoader,
  type EventMap,
  type Loader,
  type LoaderDefinition,
} from '../../src/index.ts';
import type { EntryHeader } from '../../src/redis/entry.ts';
import { entryBytes, entryKey, type Gate, gate, openCache } from './cache.ts';
import { connect, uniqueNamespace } from './redis.ts';
import { leavesNoRejections } from './unhandled.ts';

export let namespace: string;
export let held: Gate;
export let loads: string[];

/** All of these anew for each test of the file that calls it. */
export function eachWithLoads(): void {
  leavesNoRejections();
  beforeEach(() => {
    namespace = uniqueNamespace();
    held = gate();
    loads = [];
  });
}

export type Options = Partial<LoaderDefinition<string, string>>;

/** A loader whose loads wait for the gate, then answer, or fail when `isDown`. */
export function gated(options: Options = {}, origin: { isDown: boolean } = { isDown: false }) {
  return defineLoader<string, string>({
    name: 'item',
    ttl: '1m',
    load: async (id) => {
      loads.push(id);
      await held.opened;
      if (origin.isDown) throw new Error('origin is down');
      return `${id} new`;
    },
    ...options,
  });
}

/** Puts an entry that expired so long ago, or will in as long if that is negative. */
export async function plantExpired(
  loader: Loader<string, string>,
  agoMs: number,
  { key = 'a', ...header }: Partial<EntryHeader> & { key?: string } = {},
): Promise<void> {
  const expiresAtMs = Date.now() - agoMs;
  const bytes = entryBytes(`${key} old`, {
    createdAtMs: expiresAtMs - 60_000,
    expiresAtMs,
    ...header,
  });
  await connect().set(entryKey(namespace, loader, key), bytes, 'PX', 60_000);
}

export const open = (loader: Loader<string, string>): Promise<Cache> =>
  openCache({ namespace, loaders: [loader] });

export const old = (staleBecause: string) => ({
  value: 'a old',
  source: 'redis',
  state: 'stale',
  staleBecause,
});

export const why = (events: readonly EventMap['stale:served'][]): string[] =>
  events.map((event) => event.why);
