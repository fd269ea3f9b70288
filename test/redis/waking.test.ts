import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InvalidationBus } from '../../src/bus/invalidation-bus.ts';
import { Wakes } from '../../src/bus/wakes.ts';
import { processClock } from '../../src/core/clock.ts';
import { Events } from '../../src/core/events.ts';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { EntryTags } from '../../src/load/entry-tags.ts';
import { FencedLoad } from '../../src/load/fenced-load.ts';
import type { Answer } from '../../src/read/answer.ts';
import { LocalDrops } from '../../src/read/local-drops.ts';
import { MissLoader } from '../../src/read/miss-loader.ts';
import { SingleFlight } from '../../src/read/single-flight.ts';
import { BusListener } from '../../src/redis/bus-listener.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { TagIndex } from '../../src/redis/tag-index.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { gate, openCache, recorded } from '../helpers/cache.ts';
import { hearing } from '../helpers/memory.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

const KEY = 'a{1}';
/** Between two questions of who waits: a multiple of 2 ms that no test lives to see the end of. */
const FOR_AGES = 1_000_000;

/** A process in which a key is being loaded until the gate opens, and another one that waits for it. */
async function waitingScene(load: () => Promise<string | undefined>) {
  const namespace = uniqueNamespace();
  const redis = connect();
  const { opened, open } = gate();
  let loads = 0;
  const loader = defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (_id: string) => {
      if (loads++ > 0) return `load ${loads}`;
      await opened;
      return load();
    },
  });
  const holder = await openCache({ namespace, loaders: [loader] });
  const waiter = listeningWaiter(namespace, loader);
  await hearing(redis, namespace, 2);
  const own = holder.get(loader, KEY).then(String, String);
  await expect.poll(() => loads, { interval: 1 }).toBe(1);

  const answer = waiter();
  answer.catch(() => undefined); // Looked at when it is time.
  const { lockKey } = new Keys(namespace).named('item', 1, KEY);
  await expect.poll(() => redis.get(lockKey), { interval: 1 }).toContain('\n');
  onTestFinished(async () => {
    open();
    await own;
  });
  return { namespace, loader, holder, open, answer, loads: () => loads };
}

/** A reader of the key that asks again only when it is woken. */
function listeningWaiter(namespace: string, loader: Loader<string, string | undefined>) {
  const [redis, keys, events, clock] = [connect(), new Keys(namespace), new Events(), processClock];
  const [wakes, flights] = [new Wakes(), new SingleFlight<Answer>()];
  const local = {
    loader,
    tracker: new Tracker(redis, keys, loader),
    tier: null,
    recorder: null,
    counts: null,
  };
  const drops = new LocalDrops({ keys, flights, wakes, loaders: new Map([['item', local]]) });
  const bus = new InvalidationBus({
    publisher: redis,
    listen: (to) => {
      const connectOnce = () => new Redis(redisUrl(), { retryStrategy: null });
      return new BusListener({ connect: connectOnce, onRefused: () => undefined, ...to });
    },
    channel: keys.bus(),
    onDrop: (what) => drops.drop(what),
    onWake: (entryKey) => wakes.wake(entryKey),
    onGap: () => drops.dropAll(),
  });
  onTestFinished(() => bus.close());
  const tags = new EntryTags(new TagIndex(redis, keys, clock), clock);
  const store = new EntryStore(redis);
  const fenced = new FencedLoad({ store, clock, events, lockTtlMs: 3_000, tags });
  const misses = new MissLoader({
    readTimeoutMs: 10_000_000,
    fenced,
    clock,
    events,
    wakes,
    random: () => FOR_AGES,
  });
  const place = keys.named('item', 1, KEY);
  return () => misses.load({ ref: { ...place, loader, key: KEY }, seen: null });
}

describe('who waits for the load of another process is woken', () => {
  test('by its value', async () => {
    const { open, answer, loads } = await waitingScene(async () => 'value');
    open();
    expect(await answer).toMatchObject({ value: 'value', state: 'fresh' });
    expect(loads()).toBe(1);
  });

  test('by its finding nothing', async () => {
    const { open, answer, loads } = await waitingScene(async () => undefined);
    open();
    expect(await answer).toMatchObject({ value: undefined, state: 'uncached' });
    expect(loads()).toBe(1);
  });

  test('by its failure', async () => {
    const { open, answer, loads } = await waitingScene(() => Promise.reject(new Error('down')));
    open();
    await expect(answer).rejects.toMatchObject({ code: 'LOADER_FAILED' });
    expect(loads()).toBe(1);
  });

  type Act = (cache: Cache, loader: Loader<string, string | undefined>) => Promise<unknown>;
  test.for<[string, Act, string]>([
    ['an invalidation', (cache, loader) => cache.invalidate(loader, KEY), 'load 2'],
    ['a soft one', (cache, loader) => cache.invalidate(loader, KEY, { soft: true }), 'load 2'],
    ['one of its loader', (cache, loader) => cache.invalidateLoader(loader), 'load 2'],
    ['a set', (cache, loader) => cache.set(loader, KEY, 'set'), 'set'],
  ])('by %s, before the load is over', async ([, act, value]) => {
    const { holder, loader, answer, loads } = await waitingScene(async () => 'too late');
    await act(holder, loader);
    expect(await answer).toMatchObject({ value });
    expect(loads()).toBe(value === 'set' ? 1 : 2);
  });

  test('when it may have missed something', async () => {
    const { namespace, answer } = await waitingScene(async () => 'too late');
    const keys = new Keys(namespace);
    const redis = connect();
    await redis.del(keys.named('item', 1, KEY).lockKey); // Nobody is told of that.
    await redis.publish(keys.bus(), 'nobody can say what this means');
    expect(await answer).toMatchObject({ value: 'load 2' });
  });
});

test('what nobody waits for is not announced', async () => {
  const namespace = uniqueNamespace();
  // Refreshed a second after each load: nobody ever finds it expired.
  const loader = defineLoader({
    name: 'item',
    ttl: '10s',
    refresh: { minLead: '9s' },
    load: async (id: string) => id,
  });
  const options = { redis: redisUrl(), namespace, loaders: [loader] };
  const cache = await openCache(options);
  const listening = connect();
  const messages: string[] = [];
  listening.on('message', (_, text) => void messages.push(text));
  await listening.subscribe(new Keys(namespace).bus());
  const { worker } = await startRefreshers(options);
  const refreshed = recorded(worker, 'refresh:completed');
  const reads = setInterval(() => void cache.getMany(loader, ['a', 'b']), 10);
  onTestFinished(() => clearInterval(reads));

  await expect.poll(() => refreshed.length, { timeout: 10_000 }).toBeGreaterThan(3);
  clearInterval(reads);
  expect(messages).toEqual([]);

  await cache.invalidate(loader, 'a');
  await expect.poll(() => messages.length).toBe(1);
});

test('what is invalidated at the same time is announced together', async () => {
  const namespace = uniqueNamespace();
  const loader = defineLoader({ name: 'item', ttl: '10m', load: async (id: string) => id });
  const cache = await openCache({ namespace, loaders: [loader] });
  const listening = connect();
  const messages: string[] = [];
  listening.on('message', (_, text) => void messages.push(text));
  await listening.subscribe(new Keys(namespace).bus());

  const keys = Array.from({ length: 50 }, (_, at) => `k${at}`);
  await cache.invalidateMany(loader, keys);
  await Promise.all(keys.map((key) => cache.set(loader, key, 'secret value')));
  const last = 'the last';
  await cache.invalidate(loader, last);

  await expect.poll(() => messages.at(-1)).toContain(last);
  expect(messages.length).toBeLessThan(25);
  expect(messages.join()).not.toContain('secret value');
});
