import { expect, onTestFinished, test, vi } from 'vitest';
import { createScheduler, defineLoader } from '../../src/index.ts';
import { History } from '../../src/redis/history.ts';
import { Keys } from '../../src/redis/keys.ts';
import { ServerClock } from '../../src/redis/server-clock.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const HOUR_MS = 3_600_000;
const hour = Math.floor(Date.now() / HOUR_MS);
const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });
const off = defineLoader({
  name: 'off',
  ttl: '1h',
  refresh: false,
  load: async (id: string) => id,
});

/** The instant that schedulers take for now. */
function setClock(nowMs: number): void {
  const clock = vi.spyOn(ServerClock.prototype, 'now').mockReturnValue(nowMs);
  onTestFinished(() => clock.mockRestore());
}

function historyOf(namespace: string, loader = item): { history: History; tracker: Tracker } {
  const redis = connect();
  const keys = new Keys(namespace);
  const tracker = new Tracker(redis, keys, loader);
  return { history: new History({ redis, keys, loader, tracker }), tracker };
}

function startScheduler(namespace: string): void {
  const options = { redis: redisUrl(), namespace, loaders: [item, off] };
  const scheduler = createScheduler(options);
  onTestFinished(() => scheduler.close());
}

async function read(tracker: Tracker): Promise<void> {
  const records = [
    { key: 'hot', reads: 9, expiresAtMs: 0 },
    { key: 'cold', reads: 1, expiresAtMs: 0 },
  ];
  await tracker.record(records, { nowMs: Date.now(), lookAheadMs: HOUR_MS });
}

test('schedulers write down the hour that is over, of each loader that is refreshed, and learn from it', async () => {
  const namespace = uniqueNamespace();
  const { history, tracker } = historyOf(namespace);
  await read(tracker);
  await history.record(hour - 24, Date.now());
  setClock((hour + 1) * HOUR_MS + 60_000);
  startScheduler(namespace);
  startScheduler(namespace);
  await expect.poll(() => history.hottest(hour, 10), { timeout: 10_000 }).toEqual(['hot', 'cold']);
  expect((await history.read(hour))?.heat).toEqual({
    atMs: (hour + 1) * HOUR_MS + 60_000,
    halfLifeMs: tracker.halfLifeMs,
  });
  await expect
    .poll(async () => (await history.scores()).yesterday, { timeout: 10_000 })
    .toBeCloseTo(0.515);
  expect((await history.scores()).now).toBe(0.5);
  expect(await historyOf(namespace, off).history.read(hour)).toBeNull();
});
