import type { ClusterOptions } from 'ioredis';
import { expect, test } from 'vitest';
import { openCluster } from '../../../src/redis/cluster-connection.ts';

const NODE = { byDefault: { connectionName: 'everwarm:test' }, own: { socketTimeout: 5_000 } };

function optionsOf(cluster: string[], options: ClusterOptions = {}): ClusterOptions {
  const own = { retryDelayOnFailover: 0 };
  const target = { cluster, options: { lazyConnect: true, ...options } };
  return openCluster(target, NODE, own).options;
}

test('every node is opened with user, password and TLS of the first URL, by its name', () => {
  const { redisOptions, dnsLookup } = optionsOf(['rediss://us%40er:se%2Fcret@node:7000']);
  expect(redisOptions).toMatchObject({ username: 'us@er', password: 'se/cret', tls: {} });
  const found: unknown[] = [];
  dnsLookup?.('node', (...answer) => found.push(...answer));
  expect(found).toEqual([null, 'node']);
});

test('without TLS names are looked up as ever', () => {
  const { redisOptions, dnsLookup } = optionsOf(['redis://node:7000']);
  expect(redisOptions).not.toHaveProperty('tls');
  const found: unknown[] = [];
  dnsLookup?.('127.0.0.1', (...answer) => found.push(...answer));
  expect(found).toEqual([]);
});

test('options of the application count, except where a guarantee rests on them', () => {
  const options = optionsOf(['redis://:url@node'], {
    retryDelayOnFailover: 100,
    slotsRefreshTimeout: 3_000,
    redisOptions: { password: 'option', connectionName: 'mine', socketTimeout: 1 },
  });
  expect(options).toMatchObject({ retryDelayOnFailover: 0, slotsRefreshTimeout: 3_000 });
  expect(options.redisOptions).toMatchObject({
    password: 'option',
    connectionName: 'mine',
    socketTimeout: 5_000,
  });
});
