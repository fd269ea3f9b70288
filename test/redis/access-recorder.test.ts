import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/index.ts';
import { halfLifeMs, recentReads } from '../../src/policy/heat.ts';
import { AccessRecorder, type RecorderParts } from '../../src/read/access-recorder.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { seededRandom } from '../../src/simulate/random.ts';
import { commandCalls, gate, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 3_600_000;
const NOW_MS = 1_750_000_000_000;
const EXPIRES_AT_MS = NOW_MS + TTL_MS;
const loader = defineLoader({ name: 'item', ttl: TTL_MS, load: async (id: string) => id });

/** A recorder that flushes when it is told to, at one instant. */
function setUp(parts: Partial<RecorderParts> = {}) {
  const redis = connect();
  const keys = new Keys(uniqueNamespace());
  const events = new Events();
  const recorder = new AccessRecorder({
    tracker: new Tracker(redis, keys, { ...loader, mostSkewMs: 1e15 }),
    breakers: new Breakers({ role: 'queue', events, nodeOf: () => '' }),
    clock: { now: () => NOW_MS },
    events,
    loader,
    flushIntervalMs: 60_000,
    recordRate: 1_000_000,
    maxPendingKeys: 50_000,
    random: Math.random,
    ...parts,
  });
  onTestFinished(() => recorder.close());
  const { heat, due } = keys.tracker(loader, halfLifeMs(TTL_MS));
  const scores = async (key: string): Promise<Map<string, number>> => {
    const pairs = await redis.zrange(key, '0', '-1', 'WITHSCORES');
    return new Map(
      pairs.flatMap((member, at) => (at % 2 ? [] : [[member, Number(pairs[at + 1])] as const])),
    );
  };
  /** Recent reads of every tracked key. */
  const reads = async (): Promise<Record<string, number>> => {
    const at = { nowMs: NOW_MS, halfLifeMs: halfLifeMs(TTL_MS) };
    const heats = [...(await scores(heat))];
    return Object.fromEntries(heats.map(([key, log]) => [key, recentReads(log, at)]));
  };
  const dropped = recorded({ on: events.on.bind(events) }, 'reads:dropped');
  return { recorder, reads, dues: () => scores(due), dropped };
}

test('counts in the process and sends nothing until it flushes', async () => {
  const { recorder, reads } = setUp();
  for (const key of ['a', 'b', 'a', 'a']) recorder.count(key, EXPIRES_AT_MS);
  expect(await reads()).toEqual({});

  await recorder.flush();

  expect(await reads()).toEqual({ a: expect.closeTo(3, 5), b: expect.closeTo(1, 5) });
});

test('sends a read once', async () => {
  const { recorder, reads } = setUp();
  recorder.count('a', EXPIRES_AT_MS);
  await recorder.flush();
  await recorder.flush();
  expect(await reads()).toEqual({ a: expect.closeTo(1, 5) });

  recorder.count('a', EXPIRES_AT_MS);
  await recorder.flush();
  expect(await reads()).toEqual({ a: expect.closeTo(2, 5) });
});

test('plans a first look at a key read twice, half a ttl before its entry expires', async () => {
  const { recorder, dues } = setUp();
  for (const key of ['once', 'twice', 'twice']) recorder.count(key, EXPIRES_AT_MS);
  for (let read = 0; read < 5; read++) recorder.count('never stored', 0);

  await recorder.flush();

  expect(await dues()).toEqual(new Map([['twice', EXPIRES_AT_MS - TTL_MS / 2]]));
});

test('plans the first look earlier for loads that take long', async () => {
  const { recorder, dues } = setUp();
  recorder.observeLoad({ meanMs: TTL_MS / 3, deviationMs: 0 });
  for (const key of ['a', 'a']) recorder.count(key, EXPIRES_AT_MS);

  await recorder.flush();

  expect((await dues()).get('a')).toBeCloseTo(EXPIRES_AT_MS - (2 * TTL_MS) / 3, -1);
});

test('numbers the reads of each life of an entry', () => {
  const { recorder } = setUp();
  const life = (expiresAtMs: number): number => recorder.count('a', expiresAtMs);

  expect([life(1), life(1), life(1), life(2), life(2), life(3)]).toEqual([1, 2, 3, 1, 2, 1]);
});

test('sends at most 500 keys a call', async () => {
  const { url } = await ownServer();
  const redis = connect(url);
  const tracker = new Tracker(redis, new Keys(uniqueNamespace()), loader);
  const { recorder } = setUp({ tracker });
  recorder.count('first', EXPIRES_AT_MS); // Brings the script to the server.
  await recorder.flush();
  await redis.config('RESETSTAT');

  for (let key = 0; key < 1_200; key++) recorder.count(`key-${key}`, EXPIRES_AT_MS);
  await recorder.flush();

  expect(await commandCalls(redis)).toMatchObject({ evalsha: 3 });
});

test('holds the reads of maxPendingKeys keys, drops and counts the rest', async () => {
  const { recorder, reads, dropped } = setUp({ maxPendingKeys: 3 });
  for (const key of ['a', 'b', 'c', 'd', 'e', 'a']) recorder.count(key, EXPIRES_AT_MS);

  await recorder.flush();

  expect(Object.keys(await reads()).sort()).toEqual(['a', 'b', 'c']);
  expect(dropped).toEqual([{ loader: 'item', keys: 2, error: null }]);
});

test('forgets what is no longer read before it drops anything new', async () => {
  const { recorder, reads, dropped } = setUp({ maxPendingKeys: 3 });
  for (const key of ['a', 'b', 'c']) recorder.count(key, EXPIRES_AT_MS);
  await recorder.flush();
  await recorder.flush();
  for (const key of ['d', 'e', 'f']) recorder.count(key, EXPIRES_AT_MS);
  await recorder.flush();

  expect(Object.keys(await reads()).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(dropped).toEqual([]);
});

test('samples keys above recordRate, so that heat is right on average', async () => {
  const rounds = 20;
  const keys = 1_000;
  const { recorder, reads } = setUp({
    flushIntervalMs: 1_000,
    recordRate: keys / 10,
    random: seededRandom(42),
  });
  for (let round = 0; round < rounds; round++) {
    for (let key = 0; key < keys; key++) {
      for (let read = 0; read < 4; read++) recorder.count(`key-${key}`, EXPIRES_AT_MS);
    }
    await recorder.flush();
  }

  const found = Object.values(await reads());
  const total = found.reduce((sum, each) => sum + each, 0);
  expect(total / (rounds * keys * 4)).toBeCloseTo(1, 1);
  // Each key is left out of a round with probability 0.9, of all 20 with 0.12.
  expect(found.length).toBeGreaterThan(keys * 0.8);
  expect(found.length).toBeLessThan(keys * 0.95);
});

test('drops and counts what a tracker that is away does not take, and never throws', async () => {
  const redis = connect();
  redis.disconnect();
  const tracker = new Tracker(redis, new Keys(uniqueNamespace()), loader);
  const { recorder, dropped } = setUp({ tracker, maxPendingKeys: 2 });
  for (const key of ['a', 'b', 'a', 'c']) recorder.count(key, EXPIRES_AT_MS);

  await recorder.flush();
  await recorder.flush();

  const error = expect.objectContaining({ message: 'Connection is closed.' });
  expect(dropped).toEqual([{ loader: 'item', keys: 3, error }]);
});

test('sends one batch at a time: a slow tracker makes flushes rarer', async () => {
  const slow = gate();
  const batches: string[][] = [];
  const tracker = new Tracker(connect(), new Keys(uniqueNamespace()), loader);
  const record = tracker.record.bind(tracker);
  tracker.record = async (records, at) => {
    batches.push(records.map(({ key }) => key));
    await slow.opened;
    return record(records, at);
  };
  const { recorder, dropped } = setUp({ tracker });

  recorder.count('a', EXPIRES_AT_MS);
  const flushes = [recorder.flush(), recorder.flush()];
  recorder.count('b', EXPIRES_AT_MS);
  flushes.push(recorder.flush());
  slow.open();
  await Promise.all(flushes);
  await recorder.flush();

  expect(batches).toEqual([['a'], ['b']]);
  expect(dropped).toEqual([]);
});

test('flushes by itself at the interval, at most an eighth of the ttl', async () => {
  const short = defineLoader({ name: 'item', ttl: 800, load: async (id: string) => id });
  const redis = connect();
  const keys = new Keys(uniqueNamespace());
  const tracker = new Tracker(redis, keys, short);
  const { recorder } = setUp({ tracker, loader: short });
  recorder.count('a', EXPIRES_AT_MS);

  const { heat } = keys.tracker(short, halfLifeMs(800));
  await expect.poll(() => redis.zcard(heat)).toBe(1);
});

test('sends what is left when it is closed', async () => {
  const { recorder, reads } = setUp();
  recorder.count('a', EXPIRES_AT_MS);

  await recorder.close();

  expect(await reads()).toEqual({ a: expect.closeTo(1, 5) });
});

test('keeps no process alive', () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();

  setUp();

  expect(timers()).toBe(before);
});

test('is fed by every read of a cache, those that loaded included', async () => {
  const namespace = uniqueNamespace();
  const quick = defineLoader({ name: 'item', ttl: TTL_MS, load: async (id: string) => id });
  const cache = await openCache({ namespace, loaders: [quick] });

  for (let read = 0; read < 3; read++) await cache.get(quick, 'a');
  await cache.getMany(quick, ['a', 'b', 'a']);
  await cache.close();

  const { heat } = new Keys(namespace).tracker(quick, halfLifeMs(TTL_MS));
  const at = { nowMs: Date.now(), halfLifeMs: halfLifeMs(TTL_MS) };
  const readsOf = async (key: string): Promise<number> =>
    recentReads(Number(await connect().zscore(heat, key)), at);
  expect(await readsOf('a')).toBeCloseTo(4, 1);
  expect(await readsOf('b')).toBeCloseTo(1, 1);
});

test('is left out of a cache that does not record', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, recording: false, loaders: [loader] });

  await cache.get(loader, 'a');
  await cache.get(loader, 'a');
  await cache.close();

  const { heat } = new Keys(namespace).tracker(loader, halfLifeMs(TTL_MS));
  expect(await connect().exists(heat)).toBe(0);
});

test('does not bring a look forward for a copy whose entry was refreshed since', async () => {
  const { recorder, dues } = setUp();
  recorder.count('a', EXPIRES_AT_MS);
  recorder.countCopy('a', { expiresAtMs: EXPIRES_AT_MS, reads: null });
  await recorder.flush();
  const [planned] = [...(await dues()).values()];
  const beforeIt = (planned ?? 0) - 1;

  recorder.countCopy('a', { expiresAtMs: beforeIt, reads: null });
  await recorder.flush();
  expect(await dues()).toEqual(new Map([['a', planned]]));

  recorder.countCopy('a', { expiresAtMs: beforeIt, reads: null });
  recorder.count('a', beforeIt);
  await recorder.flush();
  expect(await dues()).toEqual(new Map([['a', NOW_MS]]));
});

test('goes on counting a copy whose key was forgotten for a while', async () => {
  const { recorder, reads } = setUp();
  const copy = { expiresAtMs: NOW_MS - 1, reads: null };
  recorder.countCopy('a', copy);
  await recorder.flush();
  await recorder.flush(); // Its life is over, and it was not read: forgotten.

  recorder.countCopy('a', copy);
  await recorder.flush();

  expect(await reads()).toEqual({ a: expect.closeTo(2, 5) });
});

test('plans the first look of a key that only copies have answered', async () => {
  const { recorder, dues } = setUp();
  recorder.countCopy('a', { expiresAtMs: EXPIRES_AT_MS, reads: null });
  recorder.countCopy('a', { expiresAtMs: EXPIRES_AT_MS, reads: null });
  await recorder.flush();

  expect([...(await dues()).values()]).toEqual([expect.closeTo(EXPIRES_AT_MS - TTL_MS / 2, -4)]);
});
