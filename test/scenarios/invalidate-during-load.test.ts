import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Invalidation } from '../../src/index.ts';
import type { Child } from '../helpers/child.ts';
import { type App, System } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

/** A refresh starts 1 s after the load before it. */
const item: LoaderSpec = { name: 'item', ttl: '10s', refresh: { minLead: '9s' } };
const loaders: LoaderSpec[] = [item, { ...item, name: 'tagged', tag: 't' }];

// The same processes for all tests, each with a key of its own and nothing left of those before.
let system: System;
let one: App;
let other: App;
let worker: Child;
let key: string;
beforeAll(async () => {
  system = new System();
  [one, other, worker] = await Promise.all([
    system.app(loaders),
    system.app(loaders),
    system.worker(loaders),
  ]);
});
afterAll(() => system.end());
beforeEach(async () => {
  key = `k-${randomUUID()}`;
  await one.do({ do: 'invalidate-all', invalidation: { kind: 'namespace', soft: false } });
  await system.probe.setOrigin(key, 'old');
});

const invalidate = (): Promise<unknown> => other.do({ do: 'invalidate', loader: 'item', key });
const setByHand = (): Promise<unknown> =>
  other.do({ do: 'set', value: 'by hand', loader: 'item', key });

/** What one process reads, then another. */
async function readBy(
  apps: readonly App[],
  loader: 'item' | 'tagged' = 'item',
): Promise<(string | null)[]> {
  const origins: (string | null)[] = [];
  for (const app of apps) origins.push((await app.get(loader, key)).value.origin);
  return origins;
}

/** One process loads, until the gate opens. */
async function startLoad(
  loader: 'item' | 'tagged' = 'item',
): Promise<{ readonly reading: Promise<unknown> }> {
  await system.probe.holdNext('reader', { key });
  const reading = one.get(loader, key);
  await system.probe.call({ isHeld: true, key });
  return { reading };
}

describe('an invalidation by another process', () => {
  test('voids a load that started before it and ends after it', async () => {
    const { reading } = await startLoad();

    await system.probe.setOrigin(key, 'new');
    expect(await invalidate()).toBe(false);
    await system.probe.openGate();
    await reading; // Began before the invalidation: either answer is right.

    expect(await readBy([one, other])).toEqual(['new', 'new']);
  });

  test('removes what a load stored before it', async () => {
    await one.get('item', key);

    await system.probe.setOrigin(key, 'new');
    expect(await invalidate()).toBe(true);

    expect(await readBy([one, other])).toEqual(['new', 'new']);
    expect(await system.probe.calls({ stage: 'started', key })).toHaveLength(2);
  });

  test('leaves a load alone that starts after it', async () => {
    expect(await invalidate()).toBe(false);
    await one.get('item', key);

    expect(await other.get('item', key)).toMatchObject({
      source: 'redis',
      value: { pid: one.child.pid },
    });
  });
});

const WIDE: readonly Invalidation[] = [
  { kind: 'tags', tags: ['t'], soft: false },
  { kind: 'tags', tags: ['t'], soft: true },
  { kind: 'pattern', loader: 'tagged', glob: 'k*', soft: false },
  { kind: 'loader', loader: 'tagged', version: null, soft: true },
  { kind: 'namespace', soft: false },
];

describe('an invalidation of many keys by another process', () => {
  test.for(WIDE)('voids a load in flight, and takes what was stored: %j', async (wide) => {
    const stored = `${key}-stored`;
    const readStored = async (): Promise<unknown> => (await one.get('tagged', stored)).value.origin;
    await system.probe.setOrigin(stored, 'old');
    await readStored();
    const { reading } = await startLoad('tagged');

    await system.probe.setOrigin(key, 'new');
    await system.probe.setOrigin(stored, 'new');
    expect(await other.do({ do: 'invalidate-all', invalidation: wide })).toBe(1);
    await system.probe.openGate();
    await reading; // Began before the invalidation: either answer is right.

    expect(await readBy([one, other], 'tagged')).toEqual(['new', 'new']);
    // A softly invalidated value serves once more, while it is loaded anew.
    expect(await readStored()).toBe(wide.soft ? 'old' : 'new');
    await expect.poll(readStored).toBe('new');
  });
});

describe('a set by another process', () => {
  test('is not overwritten by a load that started before it', async () => {
    const { reading } = await startLoad();

    await setByHand();
    await system.probe.openGate();
    await reading;

    expect(await readBy([one, other])).toEqual(['by hand', 'by hand']);
  });

  test('replaces what a load stored before it, and makes a later load needless', async () => {
    await one.get('item', key);

    await setByHand();

    expect(await readBy([one, other])).toEqual(['by hand', 'by hand']);
    expect(await system.probe.calls({ stage: 'started', key })).toHaveLength(1);
  });
});

/** The worker is in the middle of a refresh that found the old state. */
async function startRefresh(): Promise<void> {
  await system.probe.holdNext('worker', { key });
  const scheduler = await system.schedulerHere(loaders);
  const reading = one.read('item', key);
  await system.probe.call({ isHeld: true, key, pid: worker.pid });
  await one.stopReading();
  await reading;
  await scheduler.close(); // The key is left to this refresh.
}

async function untilSuperseded(): Promise<void> {
  const superseded = expect.objectContaining({ key, why: 'superseded' });
  const skipped = () => worker.events('refresh:skipped').filter((event) => event.key === key);
  await vi.waitFor(() => expect(skipped()).toEqual([superseded]));
}

describe('a refresh by a worker', () => {
  test('is not stored when its key is invalidated meanwhile', async () => {
    await startRefresh();

    await system.probe.setOrigin(key, 'new');
    expect(await invalidate()).toBe(true);
    await system.probe.openGate();
    await untilSuperseded();

    expect(await system.redis.keys(`${system.namespace}:{item@1:${key}}*`)).toEqual([]);
    expect(await readBy([one, other])).toEqual(['new', 'new']);
  });

  test('does not overwrite what a reader loaded after an invalidation', async () => {
    await startRefresh();

    await system.probe.setOrigin(key, 'new');
    await invalidate();
    expect(await readBy([other, one])).toEqual(['new', 'new']);
    await system.probe.openGate();
    await untilSuperseded();

    expect(await readBy([one, other])).toEqual(['new', 'new']);
  });

  test('does not overwrite what was set meanwhile', async () => {
    await startRefresh();

    await setByHand();
    await system.probe.openGate();
    await untilSuperseded();

    expect(await readBy([one, other])).toEqual(['by hand', 'by hand']);
  });
});
