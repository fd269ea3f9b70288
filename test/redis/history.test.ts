import { gzipSync } from 'node:zlib';
import { pack } from 'msgpackr';
import { expect, test } from 'vitest';
import { defineLoader, defineWarmUp } from '../../src/index.ts';
import { History } from '../../src/redis/history.ts';
import { Keys } from '../../src/redis/keys.ts';
import { packed } from '../../src/redis/packed.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { HottestKeys } from '../../src/warm/hottest-keys.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { Fleet, PATIENCE } from '../helpers/warm-fleet.ts';

const HOUR_MS = 3_600_000;
const loader = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });

function historyOf(namespace: string): { history: History; tracker: Tracker } {
  const redis = connect();
  const keys = new Keys(namespace);
  const tracker = new Tracker(redis, keys, loader);
  return { history: new History({ redis, keys, loader, tracker }), tracker };
}

const read = (tracker: Tracker, reads: Readonly<Record<string, number>>): Promise<unknown> =>
  tracker.record(
    Object.entries(reads).map(([key, count]) => ({ key, reads: count, expiresAtMs: 0 })),
    { nowMs: Date.now(), lookAheadMs: HOUR_MS },
  );

test('an hour is written down by one of several at the same time, with what was hot then', async () => {
  const namespace = uniqueNamespace();
  const { history, tracker } = historyOf(namespace);
  await read(tracker, { warm: 5, hot: 9, cold: 1 });
  const others = Array.from({ length: 5 }, () => historyOf(namespace).history);
  const answers = await Promise.all([history, ...others].map((one) => one.record(7, Date.now())));
  expect(answers.filter((isMine) => isMine)).toHaveLength(1);
  await read(tracker, { later: 20 });
  expect(await history.record(7, Date.now())).toBe(false);
  expect(await history.hottest(7, 10)).toEqual(['hot', 'warm', 'cold']);
  expect(await history.hottest(7, 2)).toEqual(['hot', 'warm']);
  expect(await history.hottest(8, 2)).toEqual([]);
});

test('faded keys are none of the hour’s', async () => {
  const { history, tracker } = historyOf(uniqueNamespace());
  await read(tracker, { old: 5 });
  await history.record(7, Date.now() + 24 * 4 * HOUR_MS);
  expect(await history.hottest(7, 10)).toEqual([]);
});

test('an hour has the recent reads of its keys, and the instant and half-life that they go by', async () => {
  const { history, tracker } = historyOf(uniqueNamespace());
  const nowMs = Date.now();
  await read(tracker, { hot: 9, cold: 1 });
  await history.record(7, nowMs);
  const hour = await history.read(7);
  expect(hour).toMatchObject({
    keys: ['hot', 'cold'],
    heat: { atMs: nowMs, halfLifeMs: 4 * HOUR_MS },
  });
  expect(hour?.reads?.[0]).toBeCloseTo(9, 1);
  expect(hour?.reads?.[1]).toBeCloseTo(1, 1);
});

test('an hour of before, without reads, is still read; one of a format to come, and bytes that are none, are not there', async () => {
  const namespace = uniqueNamespace();
  const { history } = historyOf(namespace);
  const redis = connect();
  const key = (hour: number): string => new Keys(namespace).history(loader, hour);
  await redis.set(key(1), gzipSync(pack(['hot', 'cold'])));
  await redis.set(key(2), await packed({ format: 3, keys: ['a'], reads: [1] }));
  await redis.set(key(3), 'nonsense');
  expect(await history.read(1)).toEqual({ keys: ['hot', 'cold'], reads: null, heat: null });
  expect(await history.hottest(1, 1)).toEqual(['hot']);
  expect([await history.read(2), await history.read(3)]).toEqual([null, null]);
});

test('the last hour that was written down is found', async () => {
  const { history } = historyOf(uniqueNamespace());
  expect(await history.lastHour(1_000)).toBeNull();
  await history.record(900, Date.now());
  expect(await history.lastHour(1_000)).toBe(900);
  expect(await history.lastHour(899)).toBeNull();
});

test('scores move to who has foretold an hour when it is written down, once in the fleet', async () => {
  const namespace = uniqueNamespace();
  const { history, tracker } = historyOf(namespace);
  await read(tracker, { hot: 9, warm: 5 });
  await history.record(1_000 - 24, Date.now());
  expect(await history.scores()).toEqual({ yesterday: 0.5, lastWeek: 0.5, now: 0.5 });
  await connect().del(tracker.heatKey);
  await read(tracker, { other: 9 });
  await history.record(1_000 - 1, Date.now());
  await connect().del(tracker.heatKey);
  await read(tracker, { hot: 9, warm: 5 });
  const others = Array.from({ length: 5 }, () => historyOf(namespace).history);
  await Promise.all(others.map((one) => one.record(1_000, Date.now())));
  const { yesterday, lastWeek, now } = await history.scores();
  expect(yesterday).toBeCloseTo(0.515);
  expect(lastWeek).toBe(0.5);
  expect(now).toBeCloseTo(0.485);
  const seconds = await connect().ttl(new Keys(namespace).historyScores(loader));
  expect(seconds).toBeGreaterThan(29 * 86_400);
});

test('an hour’s keys leave after 8 days', async () => {
  const namespace = uniqueNamespace();
  const { history } = historyOf(namespace);
  await history.record(7, Date.now());
  const seconds = await connect().ttl(new Keys(namespace).history(loader, 7));
  expect(seconds).toBeGreaterThan(7.9 * 86_400);
  expect(seconds).toBeLessThanOrEqual(8 * 86_400);
});

test('a plan warms what was hot at the same hour yesterday and last week', async () => {
  const fleet = new Fleet();
  const { history, tracker } = historyOf(fleet.namespace);
  const hour = Math.floor(Date.now() / HOUR_MS);
  await read(tracker, { yesterday: 9, both: 5 });
  // Plans may start in the next hour already.
  for (const ahead of [0, 1]) await history.record(hour - 24 + ahead, Date.now());
  await connect().del(tracker.heatKey);
  await read(tracker, { 'last week': 9, both: 5 });
  for (const ahead of [0, 1]) await history.record(hour - 7 * 24 + ahead, Date.now());
  await connect().del(tracker.heatKey);
  await fleet.worker();
  const keys = [
    { hottest: 10, of: 'same hour yesterday' },
    { hottest: 10, of: 'same hour last week' },
  ] as const;
  await fleet.scheduler(fleet.plan({ keys }));
  await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
  expect([...fleet.loads].sort()).toEqual([
    ['both', 1],
    ['last week', 1],
    ['yesterday', 1],
  ]);
});

test('a plan warms what is expected: of the three the keys of who has foretold best come first', async () => {
  const fleet = new Fleet();
  const { history, tracker } = historyOf(fleet.namespace);
  const hour = Math.floor(Date.now() / HOUR_MS);
  await read(tracker, { yesterday: 9, 'also yesterday': 8 });
  for (const ahead of [0, 1]) await history.record(hour - 24 + ahead, Date.now());
  await connect().del(tracker.heatKey);
  await read(tracker, { now: 9, 'also now': 8 });
  const keys = new Keys(fleet.namespace);
  // Else what is hot now is refreshed, as due or as if the cache had been wiped.
  await connect().del(keys.tracker(fleet.item, tracker.halfLifeMs).due);
  await connect().set(keys.canary(), '1');
  await connect().hset(keys.historyScores(fleet.item), { yesterday: 0.9, lastWeek: 0.9, now: 0.2 });
  await fleet.worker();
  await fleet.scheduler(fleet.plan({ keys: { hottest: 2, of: 'expected' } }));
  await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
  expect([...fleet.loads.keys()].sort()).toEqual(['also yesterday', 'yesterday']);
});

test('what a run expects stays the same for each of its attempts', async () => {
  const namespace = uniqueNamespace();
  const { tracker } = historyOf(namespace);
  const clock = { now: () => Date.now() };
  const plan = defineWarmUp({
    name: 'morning',
    loader,
    schedule: '0 9 * * *',
    timezone: 'UTC',
    keys: { hottest: 10, of: 'expected' },
  });
  const hottest = new HottestKeys({ redis: connect(), keys: new Keys(namespace), clock }, plan);
  const expected = async (runId: string | null): Promise<string[]> => {
    const source = { kind: 'hottest', hottest: 10, of: 'expected' } as const;
    const keys: string[] = [];
    for await (const key of hottest.of(source, { atMs: Date.now(), runId })) keys.push(key);
    return keys;
  };
  await read(tracker, { a: 2, b: 1 });
  expect(await expected('run')).toEqual(['a', 'b']);
  await read(tracker, { c: 9 });
  expect(await expected('run')).toEqual(['a', 'b']);
  expect(await expected(null)).toEqual(['c', 'a', 'b']);
  expect(await expected('next run')).toEqual(['c', 'a', 'b']);
});
