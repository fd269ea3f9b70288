import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveRedis } from '../../src/config/redis-option.ts';
import { Events } from '../../src/core/events.ts';
import type { Check } from '../../src/doctor/check.ts';
import { type DoctorParts, runDoctor } from '../../src/doctor/run-doctor.ts';
import { defineLoader, defineWarmUp, type RedisOption } from '../../src/index.ts';
import { openDataConnection } from '../../src/redis/connection.ts';
import { Keys } from '../../src/redis/keys.ts';
import { ownServer } from '../helpers/cache.ts';
import { freePort } from '../helpers/port.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: (id: string) => id });

/** What the doctor says of these servers, by name. */
async function examined(
  redis: RedisOption,
  parts: Partial<DoctorParts> = {},
): Promise<Record<string, Check>> {
  const targets = resolveRedis(redis);
  const open = (role: 'cache' | 'queue') => {
    const client = openDataConnection(targets[role], {
      role,
      name: 'doctor',
      events: new Events(),
    });
    onTestFinished(() => client.disconnect());
    return client;
  };
  const checks = await runDoctor({
    cache: open('cache'),
    queue: open('queue'),
    redis: targets,
    keys: new Keys(uniqueNamespace()),
    loaders: [item],
    warmUps: [],
    isProduction: false,
    ...parts,
  });
  for (const { ok, fix } of checks) expect(fix === null).toBe(ok === true);
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

describe('the doctor', () => {
  test('finds nothing wrong with a fleet that is well', async () => {
    const namespace = uniqueNamespace();
    const { cache, scheduler } = await startRoles({ namespace, loaders: [item] });
    await scheduler.ready();
    await cache.get(item, 'apple');
    const daily = defineWarmUp({
      name: 'daily',
      loader: item,
      schedule: '30 8 * * *',
      timezone: 'UTC',
      keys: ['a'],
    });
    const look = () =>
      examined(redisUrl(), { keys: new Keys(namespace), warmUps: [daily], loaders: [item] });

    // Roles say that they are there soon after their start.
    await expect
      .poll(async () => Object.values(await look()).filter(({ ok }) => ok !== true))
      .toEqual([]);
    expect(Object.keys(await look())).toEqual([
      'cache server',
      'queue server',
      'cache version',
      'cache eviction',
      'queue version',
      'queue eviction',
      'separate servers',
      'queue memory',
      'clocks',
      'scheduler of item',
      'worker of item',
      'load time of item',
      'warm-up daily',
    ]);
  });

  test('finds a queue server that evicts, and one server for both roles in production', async () => {
    const server = await ownServer('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru');
    const found = await examined(server.url, { isProduction: true });

    expect(found['cache eviction']).toMatchObject({ ok: true });
    expect(found['queue eviction']).toMatchObject({
      ok: false,
      message: expect.stringContaining('has maxmemory-policy allkeys-lru: it must be noeviction'),
      fix: expect.stringContaining('REDIS_QUEUE_URL'),
    });
    expect(found['separate servers']).toMatchObject({ ok: 'warning' });
    expect(found['worker of item']).toMatchObject({
      ok: false,
      message: 'was never seen: nothing is refreshed ahead',
    });
    const apart = await examined({ cache: server.url, queue: redisUrl() }, { isProduction: true });
    expect(apart['queue eviction']).toMatchObject({ ok: true });
    expect(apart['separate servers']).toMatchObject({ ok: true });
  });

  test('finds a queue server that is full', async () => {
    const server = await ownServer('--maxmemory', '1mb');
    expect((await examined(server.url))['queue memory']).toMatchObject({
      ok: false,
      fix: expect.stringContaining('raise maxmemory'),
    });
  });

  test('finds a server that is not there, and checks the other one', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const found = await examined({ cache: url, queue: redisUrl() });

    expect(found['cache server']).toMatchObject({
      ok: false,
      message: expect.stringMatching(`^Redis at ${url} did not answer.*ECONNREFUSED`),
    });
    expect(found['queue version']).toMatchObject({ ok: true });
    expect(Object.keys(found)).not.toContain('cache version');
  });

  test('finds a node of a cluster that is used as a single server', async () => {
    const server = await ownServer('--cluster-enabled', 'yes');
    expect(
      (await examined({ cache: server.url, queue: redisUrl() }))['cache cluster'],
    ).toMatchObject({
      ok: false,
      message: expect.stringContaining('is a node of a Redis Cluster'),
    });
  });

  test('tells of loaders that cannot be', async () => {
    const twin = defineLoader({ name: 'item', ttl: '1m', load: (id: string) => id });
    expect((await examined(redisUrl(), { loaders: [item, twin] })).loaders).toMatchObject({
      ok: false,
      message: expect.stringContaining('names must be unique'),
    });
  });
});
