import { describe, expect, test } from 'vitest';
import { resolveCache } from '../../../src/config/options.ts';
import { printTarget } from '../../../src/config/redis-option.ts';

const targetOf = (redis: unknown) => resolveCache({ redis } as object).redis.cache;

describe('a cluster', () => {
  test('is some of its nodes, by URL or host and port, and options of ioredis', () => {
    const cluster = ['rediss://user:secret@a:7000', { host: 'b', port: 7001 }, { host: 'c' }];
    const options = { redisOptions: { connectTimeout: 1_000 }, natMap: {} };
    expect(targetOf({ cluster, options })).toEqual({ cluster, options });
    expect(targetOf({ cluster: ['redis://a'] })).toEqual({ cluster: ['redis://a'], options: {} });
  });

  test('may be the cache alone', () => {
    const redis = { cache: { cluster: ['redis://a'] }, queue: 'redis://b' };
    expect(resolveCache({ redis }).redis).toEqual({
      cache: { cluster: ['redis://a'], options: {} },
      queue: 'redis://b',
    });
  });

  test('is not the object that was passed', () => {
    const cluster = [{ host: 'a' }];
    const options = { redisOptions: { username: 'me' } };
    const target = targetOf({ cluster, options });
    cluster.push({ host: 'b' });
    options.redisOptions.username = 'you';
    expect(target).toEqual({
      cluster: [{ host: 'a' }],
      options: { redisOptions: { username: 'me' } },
    });
  });

  test('stands in messages without passwords', () => {
    const cluster = ['redis://user:secret@a:7000', 'redis://user:secret@b', { host: 'c' }];
    expect(printTarget({ cluster })).toBe('the cluster of a:7000, b:6379, c:6379');
  });

  const node = 'must be a redis:// or rediss:// URL, or { host, port } and no more';
  const url = 'must be a redis:// or rediss:// URL with a host';
  const agree =
    'must agree on redis:// or rediss://, user and password: all nodes are opened alike';
  const master = "must be 'master': a replica may not have yet what was just written";
  const a = ['redis://a'];
  test.for<[object, string]>([
    [
      { cluster: [] },
      '`redis.cluster` (an array of 0) must be an array of at least one node: a URL or { host, port }',
    ],
    [
      { cluster: 'redis://a' },
      '`redis.cluster` ("redis://a") must be an array of at least one node: a URL or { host, port }',
    ],
    [{ cluster: ['a:7000'] }, `\`redis.cluster[0]\` ("a:7000") ${url}`],
    [{ cluster: ['http://me:secret@a'] }, `\`redis.cluster[0]\` ("http://***@a") ${url}`],
    [
      { cluster: ['redis://a/1'] },
      '`redis.cluster[0]` ("/1") must name no database: a cluster has only 0',
    ],
    [
      { cluster: ['redis://a?tls=x'] },
      '`redis.cluster[0]` ("?tls=x") must have no query: options of connections go into `options.redisOptions`',
    ],
    [{ cluster: [{ port: 1 }] }, `\`redis.cluster[0]\` (an object of type Object) ${node}`],
    [
      { cluster: [{ host: 'a', port: '1' }] },
      `\`redis.cluster[0]\` (an object of type Object) ${node}`,
    ],
    [
      { cluster: [{ host: 'a', password: 'x' }] },
      `\`redis.cluster[0]\` (an object of type Object) ${node}`,
    ],
    [{ cluster: ['redis://a', 'rediss://b'] }, `\`redis.cluster\` ("a:6379, b:6379") ${agree}`],
    [
      { cluster: ['redis://:x@a', 'redis://:y@b'] },
      `\`redis.cluster\` ("a:6379, b:6379") ${agree}`,
    ],
    [
      { cluster: a, password: 'secret' },
      '`redis.password` ("***") is not part of a cluster\'s description, which has `cluster` and `options`: what each node\'s connection needs goes into `options.redisOptions`',
    ],
    [{ cluster: a, options: 1 }, "`redis.options` (1) must be options of ioredis's Cluster"],
    [
      { cluster: a, options: { scaleReads: 'slave' } },
      `\`redis.options.scaleReads\` ("slave") ${master}`,
    ],
    [
      { cluster: a, options: { redisOptions: [] } },
      '`redis.options.redisOptions` (an array of 0) must be ioredis options',
    ],
    [
      { cluster: a, options: { keyPrefix: 'x:' } },
      '`redis.options.keyPrefix` ("x:") is not supported: use `namespace`',
    ],
    [
      { cluster: a, options: { redisOptions: { keyPrefix: 'x:' } } },
      '`redis.options.redisOptions.keyPrefix` ("x:") is not supported: use `namespace`',
    ],
    [
      { cluster: a, options: { redisOptions: { db: 2 } } },
      '`redis.options.redisOptions.db` (2) must be 0: a cluster has no other database',
    ],
  ])('is refused: %j', ([redis, message]) => {
    expect(() => targetOf(redis)).toThrow(expect.objectContaining({ message }));
  });
});

describe('sentinels', () => {
  const sentinels = [{ host: 's' }];
  test.for<[object, string]>([
    [
      { sentinels: [], name: 'shop' },
      '`redis.sentinels` (an array of 0) must be an array of at least one { host, port }',
    ],
    [
      { sentinels },
      '`redis.name` (undefined) must be the name under which the sentinels watch the master',
    ],
    [
      { sentinels, name: 'shop', role: 'slave' },
      '`redis.role` ("slave") must be \'master\': a replica may not have yet what was just written',
    ],
  ])('are refused: %j', ([redis, message]) => {
    expect(() => targetOf(redis)).toThrow(expect.objectContaining({ message }));
  });
});
