import { expect } from 'vitest';
import type { Cache, EventMap, Loader } from '../../src/index.ts';
import { recorded } from './cache.ts';
import { type Reading, readingAll } from './reading.ts';
import { startRoles } from './roles.ts';

export interface Fleet {
  readonly cache: Cache;
  /** Of all roles. */
  readonly failures: readonly EventMap['redis:failed'][];
  /** Resolves when nine of ten keys have been refreshed once more: within 10 s, or it fails. */
  refreshed(): Promise<void>;
  stop(): Promise<Reading>;
}

type Options = Omit<Parameters<typeof startRoles>[0], 'loaders'>;

/** All three roles of a loader, whose keys are read all the time and have been refreshed once. */
export async function startFleet(
  options: Options,
  item: Loader<string, string>,
  values: ReadonlyMap<string, string>,
): Promise<Fleet> {
  const { cache, worker, scheduler } = await startRoles({ ...options, loaders: [item] });
  const failures: EventMap['redis:failed'][] = [];
  for (const role of [cache, worker, scheduler]) {
    role.on('redis:failed', (failure) => void failures.push(failure));
  }
  const landed = recorded(worker, 'refresh:completed');
  const refreshed = async (timeout: number): Promise<void> => {
    const before = landed.length;
    const keys = (): number => new Set(landed.slice(before).map(({ key }) => key)).size;
    // A key whose first load was slow on a busy machine is refreshed by its reader for some lives.
    await expect.poll(keys, { timeout }).toBeGreaterThanOrEqual(0.9 * values.size);
  };
  const reading = readingAll([...values.keys()], {
    get: (id) => cache.get(item, id),
    getMany: (ids) => cache.getMany(item, ids),
    valueOf: (id) => values.get(id),
  });
  await refreshed(30_000);
  return { cache, failures, refreshed: () => refreshed(10_000), stop: () => reading.stop() };
}
