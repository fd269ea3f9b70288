import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/index.ts';
import { openDataConnection, untilReady } from '../../src/redis/connection.ts';
import { ownServer } from '../helpers/cache.ts';
import { startFleet } from '../helpers/fleet.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { TestSentinels } from '../helpers/sentinel.ts';

let sentinels: TestSentinels;
beforeAll(async () => {
  sentinels = await TestSentinels.start();
}, 60_000);
afterAll(() => sentinels?.close());

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
const VALUES = new Map(IDS.map((id) => [id, `${id}!`]));
const item = defineLoader({
  name: 'item',
  ttl: 2_000,
  refresh: { minLead: '1s' },
  load: async (id: string) => `${id}!`,
});

it('answers every read during a failover, and refreshes all keys within 10 s of it', {
  timeout: 60_000,
}, async () => {
  const options = { redis: sentinels.target, namespace: uniqueNamespace(), grace: 1_000 };
  const fleet = await startFleet(options, item, VALUES);

  await sentinels.failOver();
  await fleet.refreshed();

  const { reads, errors, slowestMs } = await fleet.stop();
  expect(errors).toEqual([]);
  expect(reads).toBeGreaterThan(100);
  expect(slowestMs).toBeLessThan(5_000);
});

it('leaves a master that has become a replica, and looks for the new one', async () => {
  const next = await ownServer();
  const old = await ownServer();
  const use = { role: 'cache', name: 'test', events: new Events() } as const;
  const client = openDataConnection(old.url, use);
  onTestFinished(() => client.disconnect());
  await untilReady(client, old.url, 5_000);
  await connect(old.url).replicaof('127.0.0.1', next.port);

  const again = new Promise((ready) => client.once('ready', ready));
  await expect(client.set('a', '1')).rejects.toThrow('READONLY');
  await again;
});

it('keeps its connections and goes on refreshing when all sentinels are gone', {
  timeout: 60_000,
}, async () => {
  const options = { redis: sentinels.target, namespace: uniqueNamespace() };
  const fleet = await startFleet(options, item, VALUES);
  const before = fleet.failures.length;

  await sentinels.abandon();
  await fleet.refreshed();
  expect(await fleet.cache.getWithMeta(item, 'id-1')).toMatchObject({ state: 'fresh' });

  expect(await fleet.stop()).toMatchObject({ errors: [] });
  expect(fleet.failures.slice(before)).toEqual([]);
});
