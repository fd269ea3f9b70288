import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/index.ts';
import { CountsPublisher } from '../../src/load/counts-publisher.ts';
import { readFleetRates } from '../../src/observe/fleet-rates.ts';
import { ReadCounts } from '../../src/read/read-counts.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { type Counts, FleetCounts } from '../../src/redis/fleet-counts.ts';
import { Keys } from '../../src/redis/keys.ts';
import { openCache, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';

const NOW_MS = 116_666_667 * 15_000; // A slot has just begun.
const NO_READS = { memory: 0, redis: 0, stale: 0, loader: 0, uncached: 0, failed: 0 };
const NONE: Counts = { ...NO_READS, loads: 0, landed: 0, late: 0, leadMs: 0 };

const item = defineLoader({
  name: 'item',
  ttl: '1h',
  load: async (id: string) => {
    if (id === 'bad') throw new Error('no such item');
    return id;
  },
});
/** Refreshing has nothing to do with what reads come to. */
const plain = defineLoader({ name: 'plain', ttl: '1h', refresh: false, load: (id: string) => id });

function partsOf(namespace: string) {
  const clock = { now: () => Date.now() };
  return { queue: connect(), keys: new Keys(namespace), clock };
}

test('what the reads of all processes came to is known to all, by loader', async () => {
  const namespace = uniqueNamespace();
  const open = () => openCache({ namespace, loaders: [item, plain], memory: { maxEntries: 9 } });
  const [one, other] = [await open(), await open()];
  await one.get(item, 'a'); // Waits.
  for (let read = 0; read < 5; read++) await one.get(item, 'a'); // Has a copy.
  await other.get(item, 'a'); // Redis has it.
  await other.getMany(item, ['a', 'b']); // A copy, and a wait.
  await other.get(item, 'bad').catch(() => undefined);
  await other.get(plain, 'a');
  await Promise.all([one.close(), other.close()]);

  const { reads, loads } = await readFleetRates(partsOf(namespace), item);
  expect(reads).toEqual({
    readsPerSecond: expect.any(Number),
    memory: 0.6,
    redis: 0.1,
    stale: 0,
    waited: 0.2,
    failed: 0.1,
  });
  expect(reads?.readsPerSecond).toBeGreaterThan(10 / 75);
  expect(reads?.readsPerSecond).toBeLessThanOrEqual(10 / 60);
  expect(loads).toMatchObject({ landedPerSecond: 0, late: 0, leadMs: null });
  expect(loads.loadsPerSecond / (reads?.readsPerSecond ?? 0)).toBeCloseTo(0.3); // a, b and bad
  const ofPlain = await readFleetRates(partsOf(namespace), plain);
  expect(ofPlain).toMatchObject({ reads: { waited: 1 } });
});

test('refreshes that landed are counted with the lives that were left', async () => {
  const namespace = uniqueNamespace();
  const brief = defineLoader({ name: 'brief', ttl: '1s', load: async (id: string) => id });
  const { cache, worker } = await startRoles({ namespace, loaders: [brief] });
  const landed: number[] = [];
  worker.on('refresh:completed', ({ leadMs }) => landed.push(leadMs));
  await expect
    .poll(() => cache.get(brief, 'a').then(() => landed.length), { interval: 50 })
    .toBeGreaterThan(2);
  await worker.close(); // Sends the counts.

  const { loads } = await readFleetRates(partsOf(namespace), brief);
  const inTime = landed.filter((leadMs) => leadMs >= 0);
  expect(loads.late).toBe(landed.length - inTime.length);
  expect(loads.landedPerSecond * 60).toBeLessThanOrEqual(landed.length);
  expect(loads.landedPerSecond * 75).toBeGreaterThanOrEqual(landed.length);
  const meanMs = inTime.reduce((sum, leadMs) => sum + leadMs, 0) / inTime.length;
  expect(loads.leadMs).toBeCloseTo(meanMs, 0);
});

test('a process that does not record publishes nothing', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, loaders: [item], recording: false });
  await cache.get(item, 'a');
  await cache.close();
  expect(await readFleetRates(partsOf(namespace), item)).toEqual({
    reads: null,
    loads: { loadsPerSecond: 0, landedPerSecond: 0, late: 0, leadMs: null },
  });
  expect(await connect().keys(`${namespace}:{item}:counts:*`)).toEqual([]);
});

test('counts are of the last minute, and end by themselves', async () => {
  const namespace = uniqueNamespace();
  const redis = connect();
  const fleet = new FleetCounts(redis, new Keys(namespace), item);
  await fleet.add({ ...NONE, redis: 3, loader: 1 }, NOW_MS);
  await fleet.add({ ...NONE, redis: 4 }, NOW_MS + 14_999);
  await fleet.add({ ...NONE, memory: 1 }, NOW_MS + 15_000);

  const at = async (sinceMs: number): Promise<object> => fleet.read(NOW_MS + sinceMs);
  expect(await at(20_000)).toEqual({
    totals: { ...NONE, redis: 7, loader: 1, memory: 1 },
    spanMs: 65_000,
  });
  expect(await at(74_999)).toMatchObject({ totals: { redis: 7, memory: 1 }, spanMs: 74_999 });
  expect(await at(75_000)).toEqual({ totals: { ...NONE, memory: 1 }, spanMs: 60_000 });

  const names = await redis.keys(`${namespace}:*`);
  expect(names).toHaveLength(2);
  for (const name of names) {
    const seconds = await redis.ttl(name);
    expect(seconds).toBeGreaterThan(75);
    expect(seconds).toBeLessThanOrEqual(120);
  }
});

test('what cannot be sent is dropped, what comes after is sent', async () => {
  const server = await ownServer();
  const queue = connect(server.url);
  const keys = new Keys(uniqueNamespace());
  const breakers = new Breakers({ role: 'queue', events: new Events(), nodeOf: () => '' });
  const clock = { now: () => NOW_MS };
  const publisher = new CountsPublisher({ queue, breakers, keys, clock });
  onTestFinished(() => publisher.close());
  const counts = new ReadCounts();
  publisher.add(item, counts);
  const found = async (): Promise<Counts> =>
    (await new FleetCounts(queue, keys, item).read(NOW_MS)).totals;

  counts.redis = 10;
  await publisher.publish();
  await publisher.publish(); // Nothing has come since.
  expect(await found()).toEqual({ ...NONE, redis: 10 });

  await queue.acl('SETUSER', 'default', '-evalsha');
  counts.redis = 500;
  await publisher.publish();
  await queue.acl('SETUSER', 'default', '+evalsha');
  counts.redis = 501;
  counts.loader = 1;
  await publisher.publish();
  expect(await found()).toEqual({ ...NONE, redis: 11, loader: 1 });
});
