import { describe, expect, test } from 'vitest';
import { createScheduler, defineLoader, defineWarmUp } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { gate, nextEvent, ownServer } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';
import { Fleet, minutesAgo, PATIENCE } from '../helpers/warm-fleet.ts';

describe('a fire', () => {
  test('is run once, however many schedulers there are', async () => {
    const fleet = new Fleet();
    const plan = fleet.plan();
    await fleet.worker();
    const schedulers = await Promise.all(Array.from({ length: 4 }, () => fleet.scheduler(plan)));
    await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
    await Promise.all(schedulers.map((scheduler) => scheduler.close()));
    await fleet.scheduler(plan); // And not again by one that starts later.
    const [status] = await (await fleet.scheduler(plan)).warmUps();
    expect(status).toMatchObject({
      name: 'morning',
      runs: [],
      last: { outcome: 'completed', done: 3 },
    });
    expect(fleet.events['warmup:started']).toHaveLength(1);
    expect([...fleet.loads]).toEqual(
      expect.arrayContaining([
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ]),
    );
    expect(fleet.events['warmup:completed']).toMatchObject([
      { plan: 'morning', done: 3, skipped: 0, failed: 0, refused: 0 },
    ]);
  });

  test('that nobody was there for is run late within its catch-up window, and not after it', async () => {
    const fleet = new Fleet();
    await fleet.worker();
    await fleet.scheduler(
      fleet.plan({ name: 'past', schedule: minutesAgo(120), catchUp: '1h', keys: ['past'] }),
      fleet.plan({ name: 'late', schedule: minutesAgo(120), catchUp: '3h', keys: ['late'] }),
    );
    await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
    expect([...fleet.loads.keys()]).toEqual(['late']);
    expect(fleet.events['warmup:started']).toMatchObject([{ plan: 'late' }]);
  });
});

describe('while a run is under way, another of its plan', () => {
  /** A plan whose first run waits for the gate, and counts how many of its runs there are at a time. */
  function held(fleet: Fleet, overlap: 'skip' | 'queue') {
    const hold = gate();
    const seen = { now: 0, most: 0, runs: 0 };
    const plan = fleet.plan({
      schedule: minutesAgo(120),
      overlap,
      keys: async function* () {
        seen.runs++;
        seen.most = Math.max(seen.most, ++seen.now);
        await hold.opened;
        seen.now--;
        yield 'a';
      },
    });
    return { hold, seen, plan };
  }

  test('is skipped', async () => {
    const fleet = new Fleet();
    const { hold, seen, plan } = held(fleet, 'skip');
    await fleet.worker();
    await Promise.all([fleet.scheduler(plan), fleet.scheduler(plan)]);
    await fleet.want(plan);
    await expect.poll(() => seen.runs, PATIENCE).toBe(1);
    const second = await fleet.want(plan);
    await expect
      .poll(() => fleet.events['warmup:skipped'], PATIENCE)
      .toMatchObject([{ plan: 'morning', runId: second, why: 'overlap' }]);
    hold.open();
    await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(1);
    expect(seen).toMatchObject({ most: 1, runs: 1 });
  });

  test('waits for it where the plan says so', async () => {
    const redis = connect();
    const fleet = new Fleet();
    const { hold, seen, plan } = held(fleet, 'queue');
    await fleet.worker();
    const [one] = await Promise.all([fleet.scheduler(plan), fleet.scheduler(plan)]);
    await fleet.want(plan);
    await expect.poll(() => seen.runs, PATIENCE).toBe(1);
    await fleet.want(plan);
    const states = async (): Promise<string[] | undefined> =>
      (await one?.warmUps())?.[0]?.runs.map(({ state }) => state).sort();
    await expect.poll(states, PATIENCE).toEqual(['running', 'waiting']);
    // A scheduler has looked at it, and put it back.
    const delayed = `${new Keys(fleet.namespace).warmUpsPrefix()}:warm-ups:delayed`;
    await expect.poll(() => redis.zcard(delayed), PATIENCE).toBe(1);
    hold.open();
    await expect.poll(() => fleet.events['warmup:completed'], PATIENCE).toHaveLength(2);
    expect(seen).toMatchObject({ most: 1, runs: 2 });
    expect(fleet.events['warmup:skipped']).toBeUndefined();
  });
});

test('a scheduler with plans closes while Redis is away, also with a run under way', async () => {
  const server = await ownServer();
  const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });
  const plan = defineWarmUp({
    name: 'morning',
    loader: item,
    schedule: minutesAgo(1),
    timezone: 'UTC',
    keys: async function* () {
      await gate().opened;
      yield 'a';
    },
  });
  const scheduler = createScheduler({ redis: server.url, loaders: [item], warmUps: [plan] });
  await nextEvent(scheduler, 'warmup:started');
  await server.close();
  await scheduler.close();
});
