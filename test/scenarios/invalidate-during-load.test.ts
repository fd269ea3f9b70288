import { describe, expect, vi } from 'vitest';
import type { Invalidation } from '../../src/index.ts';
import type { Child } from '../helpers/child.ts';
import { type App, type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const at = { loader: 'item', key: 'k' } as const;
const invalidate = { do: 'invalidate', ...at } as const;
const setByHand = { do: 'set', value: 'by hand', ...at } as const;

/** A refresh starts 1 s after the load before it. */
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '10s', refresh: { minLead: '9s' } }];

async function startApps(system: System): Promise<{ one: App; other: App }> {
  const [one, other] = await Promise.all([system.app(loaders), system.app(loaders)]);
  await system.probe.setOrigin('k', 'old');
  return { one, other };
}

/** What both processes read. */
async function readByBoth(one: App, other: App): Promise<(string | null)[]> {
  const metas = [await one.get('item', 'k'), await other.get('item', 'k')];
  return metas.map(({ value }) => value.origin);
}

describe.concurrent('an invalidation by another process', () => {
  test('voids a load that started before it and ends after it', async ({ system }) => {
    const { one, other } = await startApps(system);
    await system.probe.holdNext('reader');
    const reading = one.get('item', 'k');
    await system.probe.call({ isHeld: true, pid: one.child.pid });

    await system.probe.setOrigin('k', 'new');
    expect(await other.do(invalidate)).toBe(false);
    await system.probe.openGate();
    await reading; // Began before the invalidation: either answer is right.

    expect(await readByBoth(one, other)).toEqual(['new', 'new']);
  });

  test('removes what a load stored before it', async ({ system }) => {
    const { one, other } = await startApps(system);
    await one.get('item', 'k');

    await system.probe.setOrigin('k', 'new');
    expect(await other.do(invalidate)).toBe(true);

    expect(await readByBoth(one, other)).toEqual(['new', 'new']);
    expect(await system.probe.calls({ stage: 'started' })).toHaveLength(2);
  });

  test('leaves a load alone that starts after it', async ({ system }) => {
    const { one, other } = await startApps(system);

    expect(await other.do(invalidate)).toBe(false);
    await one.get('item', 'k');

    expect(await other.get('item', 'k')).toMatchObject({ source: 'redis', value: { n: 1 } });
  });
});

const WIDE: readonly Invalidation[] = [
  { kind: 'tags', tags: ['t'], soft: false },
  { kind: 'tags', tags: ['t'], soft: true },
  { kind: 'pattern', loader: 'item', glob: 'k*', soft: false },
  { kind: 'loader', loader: 'item', version: null, soft: true },
  { kind: 'namespace', soft: false },
];

describe.concurrent('an invalidation of many keys by another process', () => {
  test.for(WIDE)(
    'voids a load in flight, and takes what was stored: %j',
    async (wide, { system }) => {
      const tagged = loaders.map((loader) => ({ ...loader, tag: 't' }));
      const [one, other] = await Promise.all([system.app(tagged), system.app(tagged)]);
      await system.probe.setOrigin('k', 'old');
      await system.probe.setOrigin('k2', 'old');
      await one.get('item', 'k2');
      await system.probe.holdNext('reader');
      const reading = one.get('item', 'k');
      await system.probe.call({ isHeld: true, pid: one.child.pid });

      await system.probe.setOrigin('k', 'new');
      await system.probe.setOrigin('k2', 'new');
      expect(await other.do({ do: 'invalidate-all', invalidation: wide })).toBe(1);
      await system.probe.openGate();
      await reading; // Began before the invalidation: either answer is right.

      expect(await readByBoth(one, other)).toEqual(['new', 'new']);
      // A softly invalidated value serves once more, while it is loaded anew.
      const first = (await one.get('item', 'k2')).value.origin;
      expect(first).toBe(wide.soft ? 'old' : 'new');
      const later = async (): Promise<unknown> => (await one.get('item', 'k2')).value.origin;
      await expect.poll(later).toBe('new');
    },
  );
});

describe.concurrent('a set by another process', () => {
  test('is not overwritten by a load that started before it', async ({ system }) => {
    const { one, other } = await startApps(system);
    await system.probe.holdNext('reader');
    const reading = one.get('item', 'k');
    await system.probe.call({ isHeld: true, pid: one.child.pid });

    await other.do(setByHand);
    await system.probe.openGate();
    await reading;

    expect(await readByBoth(one, other)).toEqual(['by hand', 'by hand']);
  });

  test('replaces what a load stored before it, and makes a later load needless', async ({
    system,
  }) => {
    const { one, other } = await startApps(system);
    await one.get('item', 'k');

    await other.do(setByHand);

    expect(await readByBoth(one, other)).toEqual(['by hand', 'by hand']);
    expect(await system.probe.calls({ stage: 'started' })).toHaveLength(1);
  });
});

/** A worker in the middle of a refresh that found the old state. */
async function startRefresh(system: System): Promise<{ one: App; other: App; worker: Child }> {
  const { one, other } = await startApps(system);
  const [worker, scheduler] = await Promise.all([
    system.worker(loaders),
    system.scheduler(loaders),
  ]);
  await system.probe.holdNext('worker');
  const reading = one.read('item', 'k');
  await system.probe.call({ isHeld: true, pid: worker.pid });
  await one.stopReading();
  await reading;
  await scheduler.kill(); // The key is left to this refresh.
  return { one, other, worker };
}

async function untilSuperseded(worker: Child): Promise<void> {
  const superseded = expect.objectContaining({ key: 'k', why: 'superseded' });
  await vi.waitFor(() => expect(worker.events('refresh:skipped')).toEqual([superseded]));
}

describe.concurrent('a refresh by a worker', () => {
  test('is not stored when its key is invalidated meanwhile', async ({ system }) => {
    const { one, other, worker } = await startRefresh(system);

    await system.probe.setOrigin('k', 'new');
    expect(await other.do(invalidate)).toBe(true);
    await system.probe.openGate();
    await untilSuperseded(worker);

    expect(await system.redis.keys(`${system.namespace}:{item@1:k}*`)).toEqual([]);
    expect(await readByBoth(one, other)).toEqual(['new', 'new']);
  });

  test('does not overwrite what a reader loaded after an invalidation', async ({ system }) => {
    const { one, other, worker } = await startRefresh(system);

    await system.probe.setOrigin('k', 'new');
    await other.do(invalidate);
    expect(await readByBoth(other, one)).toEqual(['new', 'new']);
    await system.probe.openGate();
    await untilSuperseded(worker);

    expect(await readByBoth(one, other)).toEqual(['new', 'new']);
  });

  test('does not overwrite what was set meanwhile', async ({ system }) => {
    const { one, other, worker } = await startRefresh(system);

    await other.do(setByHand);
    await system.probe.openGate();
    await untilSuperseded(worker);

    expect(await readByBoth(one, other)).toEqual(['by hand', 'by hand']);
  });
});
