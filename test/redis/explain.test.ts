import { expect, onTestFinished, test } from 'vitest';
import { DEFAULTS } from '../../src/config/defaults.ts';
import {
  type Cache,
  createScheduler,
  createWorker,
  defineLoader,
  type Explanation,
  type Loader,
} from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { gate, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const NAME = 'item';
const TTL_MS = 3_600_000;
const define = (load: (id: string) => Promise<unknown>, more = {}): Loader<string, unknown> =>
  defineLoader({ name: NAME, ttl: TTL_MS, load, ...more });
const item = define(async (id) => `${id}!`);

interface Fleet {
  readonly cache: Cache;
  readonly options: { redis: string; namespace: string; loaders: Loader<string, unknown>[] };
}

async function open(loader = item): Promise<Fleet> {
  const options = { redis: redisUrl(), namespace: uniqueNamespace(), loaders: [loader] };
  return { cache: await openCache(options), options };
}

/** A scheduler of the fleet, once it has said that it is there. */
async function schedule({ options, cache }: Fleet): Promise<ReturnType<typeof createScheduler>> {
  const scheduler = createScheduler(options);
  onTestFinished(() => scheduler.close());
  await scheduler.ready();
  const [loader] = options.loaders as [Loader<string, unknown>];
  await expect
    .poll(async () => (await cache.explain(loader, '')).seen.schedulerAtMs)
    .not.toBeNull();
  return scheduler;
}

async function readTimes({ cache, options }: Fleet, key: string, times: number): Promise<void> {
  const [loader = item] = options.loaders;
  for (let read = 0; read < times; read++) await cache.get(loader, key);
}

test('a key that was never read has no entry, is not tracked, and costs no load', async () => {
  const fleet = await open(define(async () => expect.unreachable('loaded')));
  const [loader = item] = fleet.options.loaders;
  await expect(fleet.cache.explain(item, 'none')).rejects.toMatchObject({ code: 'UNKNOWN_LOADER' });
  expect(await fleet.cache.explain(loader, 'none')).toMatchObject({
    loader: NAME,
    key: 'none',
    verdict: 'untracked',
    refreshAtMs: null,
    heat: { isTracked: false, recentReads: 0, readsPerSecond: 0 },
    entry: { state: 'missing', bytes: 0, codec: null },
    load: null,
    due: null,
    failure: null,
    lock: { isHeld: false },
    mode: 'active',
    pausedAtMs: null,
    seen: { schedulerAtMs: null, workerAtMs: null },
  });
});

test('a hot key is refreshed when the scheduler that plans it says so', async () => {
  const fleet = await open();
  const { cache, options } = fleet;
  await readTimes(fleet, 'hot', 41);
  await schedule(fleet);
  const names = new Keys(options.namespace).tracker(item, 4 * TTL_MS);
  const redis = connect();

  const first = await cache.explain(item, 'hot');
  expect(first).toMatchObject({ verdict: 'planned', entry: { state: 'fresh', codec: 'msgpack' } });
  expect(first.summary).toMatch(/^is refreshed in \d+\.\d min: 4[01] recent reads, threshold/);
  expect(first.heat.recentReads).toBeCloseTo(41, 0);
  // Which of its possible times is the least busy only the scheduler knows, once it has looked.
  const untilMs = first.refreshAtMs ?? 0;
  await redis.zadd(names.due, Date.now(), 'hot');
  const dueAtMs = async (): Promise<number> => Number(await redis.zscore(names.due, 'hot'));
  await expect.poll(dueAtMs).toBeGreaterThan(untilMs - (DEFAULTS.spread + 0.01) * TTL_MS);
  const due = await dueAtMs();
  expect(due).toBeLessThan(untilMs + 1_000);
  expect((await cache.explain(item, 'hot')).refreshAtMs).toBeCloseTo(due, -2);
});

test('a cold key says by how much, and the scheduler drops it at its planned time', async () => {
  const loader = define(async () => 1, { refresh: { threshold: 1_000 } });
  const fleet = await open(loader);
  await readTimes(fleet, 'cold', 2);
  await schedule(fleet);

  const { verdict, summary, heat } = await fleet.cache.explain(loader, 'cold');
  expect(verdict).toBe('cold');
  expect(summary).toMatch(/^is not refreshed: (2|1.9) recent reads are under the threshold \d/);
  expect(heat.threshold).toBeGreaterThanOrEqual(1.5);
});

test('a failing key says its error, its attempts and its next try', async () => {
  let isDown = false;
  const loader = defineLoader({
    name: NAME,
    ttl: '1h',
    load: async (_id: string) => {
      if (isDown) throw new Error('origin down');
      return 1;
    },
  });
  const fleet = await open(loader);
  await readTimes(fleet, 'failing', 20);
  const { options, cache } = fleet;
  const worker = createWorker(options);
  onTestFinished(() => worker.close());
  await worker.ready();
  await schedule(fleet);
  isDown = true;
  const failures = recorded(worker, 'refresh:failed');
  await cache.invalidate(loader, 'failing', { soft: true });
  await expect.poll(() => failures.length, { timeout: 10_000 }).toBeGreaterThan(2);

  const seen: Explanation[] = [];
  await expect
    .poll(async () => seen[seen.push(await cache.explain(loader, 'failing')) - 1]?.verdict)
    .toBe('backoff');
  const last = seen.at(-1);
  expect(last).toMatchObject({ failure: { error: expect.stringContaining('origin down') } });
  expect(last?.failure?.attempts).toBeGreaterThan(1);
  expect(last?.summary).toMatch(/^waits .* m?s: after \d failures: .*origin down/);
  expect(last?.entry.state).toBe('invalidated');
  expect(last?.seen.workerAtMs).not.toBeNull();
});

test('a load under way is seen by its lock', async () => {
  const loading = gate();
  const end = gate();
  const loader = define(async () => {
    loading.open();
    await end.opened;
    return 1;
  });
  const { cache } = await open(loader);
  const read = cache.get(loader, 'slow');
  await loading.opened;

  const { lock } = await cache.explain(loader, 'slow');
  expect(lock.isHeld).toBe(true);
  expect(lock.remainingMs).toBeGreaterThan(0);
  end.open();
  await read;
  expect((await cache.explain(loader, 'slow')).lock).toEqual({ isHeld: false, remainingMs: 0 });
});

test('states of an entry are told apart', async () => {
  const loader = define(async () => undefined, {
    ttl: '100ms',
    notFoundTtl: '100ms',
    staleIfError: '1h',
  });
  const { cache, options } = await open(loader);
  const redis = connect();
  await cache.get(loader, 'nothing');
  const state = async (key: string): Promise<string> =>
    (await cache.explain(loader, key)).entry.state;
  expect((await cache.explain(loader, 'nothing')).entry).toMatchObject({ isNotFound: true });
  await expect.poll(() => state('nothing')).toBe('stale');

  const names = new Keys(options.namespace);
  await redis.set(names.entry(loader, 'foreign'), 'not ours');
  await redis.hset(names.entry(loader, 'hash'), 'a', 'b');
  expect([await state('foreign'), await state('hash')]).toEqual(['unreadable', 'unreadable']);
});

test('without a scheduler a hot key says that nobody refreshes it', async () => {
  const fleet = await open();
  await readTimes(fleet, 'hot', 41);
  const { verdict, summary } = await fleet.cache.explain(item, 'hot');
  expect(verdict).toBe('no-scheduler');
  expect(summary).toMatch(
    /no scheduler of its loader was ever seen, else it would be refreshed in/,
  );
});

test('a loader that is never refreshed says so', async () => {
  const loader = define(async () => 1, { refresh: false });
  const { cache } = await open(loader);
  expect((await cache.explain(loader, 'any')).verdict).toBe('off');
  expect((await cache.explain(loader, 'any')).summary).toContain('refresh: false');
});
