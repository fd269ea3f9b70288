import { expect, onTestFinished, test } from 'vitest';
import { createCache } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { gate } from '../helpers/cache.ts';
import { connect, redisUrl } from '../helpers/redis.ts';
import { Fleet, minutesAgo, PATIENCE } from '../helpers/warm-fleet.ts';

test('a run whose keys throw half way fails; what was warmed stays, and the next run goes on', async () => {
  const fleet = new Fleet();
  let isBroken = true;
  const plan = fleet.plan({
    keys: async function* () {
      for (let at = 0; at < 1_500; at++) {
        if (at === 1_200 && isBroken) throw new Error('the list ends here');
        yield `key-${at}`;
      }
    },
  });
  await fleet.worker();
  await fleet.scheduler(plan);
  await expect.poll(() => fleet.events['warmup:failed'], PATIENCE).toHaveLength(1);
  const error = expect.stringContaining('the list ends here');
  expect(await plan.status({ redis: redisUrl(), namespace: fleet.namespace })).toMatchObject({
    last: { outcome: 'failed', error },
  });
  const warmed = fleet.loads.size;
  isBroken = false;
  await fleet.want(plan);
  await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
  expect(fleet.events['warmup:completed']).toMatchObject([
    { done: 1_500 - warmed, skipped: warmed, failed: 0 },
  ]);
  expect(fleet.loads.size).toBe(1_500);
});

test('a run passes over params that make no key, and counts them', async () => {
  const fleet = new Fleet();
  const keys = [{ hottest: 10 }, () => ['a', undefined, Number.NaN, 'b', new Date(0)]];
  await fleet.worker();
  await fleet.scheduler(fleet.plan({ keys: keys as never }));
  await expect
    .poll(() => fleet.events['warmup:completed'], PATIENCE)
    .toMatchObject([{ done: 3, refused: 2 }]);
  expect([...fleet.loads.keys()].sort()).toEqual(['a', 'b', null]);
});

test('a run takes the hottest keys, and those of a union once', async () => {
  const fleet = new Fleet();
  const cache = createCache({
    redis: redisUrl(),
    namespace: fleet.namespace,
    loaders: [fleet.item],
  });
  onTestFinished(() => cache.close());
  for (const [key, reads] of [
    ['hot', 9],
    ['warm', 5],
    ['cold', 1],
  ] as const) {
    for (let read = 0; read < reads; read++) await cache.get(fleet.item, key);
  }
  await cache.close();
  await connect().eval(
    "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end",
    0,
    `${fleet.namespace}:{item@*`,
  );
  fleet.loads.clear();
  await fleet.worker();
  await fleet.scheduler(fleet.plan({ keys: [{ hottest: 2 }, () => ['warm', 'more']] }));
  await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
  expect([...fleet.loads].sort()).toEqual([
    ['hot', 1],
    ['more', 1],
    ['warm', 1],
  ]);
});

test('a run gives what it warms a life that covers the peak', async () => {
  const fleet = new Fleet();
  const [hour, minute] = new Date(Date.now() + 3 * 3_600_000)
    .toISOString()
    .slice(11, 16)
    .split(':');
  const peak = `${minute} ${hour} * * *`;
  await fleet.worker();
  const plan = fleet.plan({ schedule: minutesAgo(1), peakAt: peak, ttl: '1h', keys: ['a'] });
  await fleet.scheduler(plan);
  await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toMatchObject([{ done: 1 }]);
  const entry = new Keys(fleet.namespace).entry(fleet.item, 'a');
  expect(await connect().pttl(entry)).toBeGreaterThan(3.9 * 3_600_000);
});

test('a run that a closing scheduler gives back is gone on with by another', async () => {
  const fleet = new Fleet();
  const hold = gate();
  const plan = fleet.plan({
    keys: async function* () {
      for (let at = 0; at < 2_000; at++) {
        if (at === 1_500) await hold.opened;
        yield `key-${at}`;
      }
    },
  });
  await fleet.worker();
  const first = await fleet.scheduler(plan);
  await expect
    .poll(async () => (await first.warmUps())[0]?.runs[0]?.progress?.done ?? 0, PATIENCE)
    .toBe(1_000);
  await fleet.scheduler(plan);
  await first.close();
  hold.open();
  await expect
    .poll(() => fleet.events['warmup:completed'], PATIENCE)
    .toMatchObject([{ done: 2_000, failed: 0 }]);
  expect(fleet.events['warmup:started']).toMatchObject([{ position: 0 }, { position: 1_000 }]);
  expect(fleet.events['warmup:failed']).toBeUndefined();
});

test('a run of a plan that this scheduler does not know is left to one that does', async () => {
  const fleet = new Fleet();
  await fleet.worker();
  await fleet.scheduler(fleet.plan({ name: 'evening', schedule: minutesAgo(120) }));
  const plan = fleet.plan({ schedule: minutesAgo(120) });
  await fleet.want(plan);
  await fleet.scheduler(plan);
  // Who does not know it may be the one that takes it, again and again: once a second.
  await expect
    .poll(() => fleet.events['warmup:completed'], { timeout: 40_000 })
    .toMatchObject([{ plan: 'morning', done: 3 }]);
}, 60_000);
