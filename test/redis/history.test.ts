import { expect, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { History } from '../../src/redis/history.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
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
