import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import { resolveCache, resolveScheduler, resolveWorker } from '../../../src/config/options.ts';
import { printTarget } from '../../../src/config/redis-option.ts';
import { InvalidOptionError } from '../../../src/core/errors.ts';

const VARIABLES = ['REDIS_URL', 'REDIS_QUEUE_URL'] as const;
const before = VARIABLES.map((name) => process.env[name]);

beforeEach(() => {
  for (const name of VARIABLES) delete process.env[name];
});
afterEach(() => {
  for (const [at, name] of VARIABLES.entries()) {
    const value = before[at];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const role = {
  redis: { cache: 'redis://127.0.0.1:6379', queue: 'redis://127.0.0.1:6379' },
  namespace: 'everwarm',
  strict: false,
};

describe('options that are left out', () => {
  test('are the defaults of a cache', () => {
    expect(resolveCache({})).toEqual({
      ...role,
      readTimeoutMs: DEFAULTS.readTimeoutMs,
      lockTtlMs: DEFAULTS.lockTtlMs,
      recording: true,
      recordRate: DEFAULTS.recordRate,
      flushIntervalMs: DEFAULTS.flushIntervalMs,
      maxPendingKeys: DEFAULTS.maxPendingKeys,
      memory: null,
      onInvalidate: null,
      metrics: null,
      warmOnStart: null,
    });
  });

  test('are the defaults of a scheduler and of a worker', () => {
    const { tickIntervalMs, claimTtlMs, maxTrackedKeys } = DEFAULTS;
    expect(resolveScheduler({})).toEqual({
      ...role,
      tickIntervalMs,
      claimTtlMs,
      maxTrackedKeys,
      maxTrackedBytes: null,
      mode: 'active',
      metrics: null,
    });
    const { concurrency, lockTtlMs, graceMs } = DEFAULTS;
    expect(resolveWorker({})).toEqual({
      ...role,
      concurrency,
      lockTtlMs,
      graceMs,
      metrics: null,
    });
  });

  test('may as well be undefined', () => {
    const nothing = { redis: undefined, namespace: undefined, lockTtl: undefined } as object;
    expect(resolveCache(nothing)).toEqual(resolveCache({}));
  });
});

describe('options that are given', () => {
  test('are kept, spans in milliseconds', () => {
    expect(
      resolveCache({
        redis: 'rediss://cache:6380',
        namespace: 'shop.eu-1',
        strict: true,
        readTimeout: 1,
        lockTtl: '1.5s',
        recording: false,
        recordRate: 1,
        flushInterval: '100ms',
        maxPendingKeys: 10,
        warmOnStart: { hottest: 7 },
      }),
    ).toEqual({
      redis: { cache: 'rediss://cache:6380', queue: 'rediss://cache:6380' },
      namespace: 'shop.eu-1',
      strict: true,
      readTimeoutMs: 1,
      lockTtlMs: 1_500,
      recording: false,
      recordRate: 1,
      flushIntervalMs: 100,
      maxPendingKeys: 10,
      memory: null,
      onInvalidate: null,
      metrics: null,
      warmOnStart: 7,
    });
    expect(resolveScheduler({ tickInterval: '1s', claimTtl: '1m' })).toMatchObject({
      tickIntervalMs: 1_000,
      claimTtlMs: 60_000,
    });
    expect(resolveWorker({ grace: 0, concurrency: 1 })).toMatchObject({
      graceMs: 0,
      concurrency: 1,
    });
  });

  test('are neither kept nor changed as an object', () => {
    const redis = Object.freeze({ host: 'cache', port: 6380 });
    const options = Object.freeze({ redis });

    const { redis: targets } = resolveCache(options);

    expect(targets).toEqual({ cache: redis, queue: redis });
    expect(targets.cache).not.toBe(redis);
  });
});

describe('redis', () => {
  const targetsOf = (redis: unknown): unknown => resolveCache({ redis } as object).redis;

  test('is what the environment says, for want of an option', () => {
    process.env.REDIS_URL = 'redis://from-env:1';
    expect(targetsOf(undefined)).toEqual({
      cache: 'redis://from-env:1',
      queue: 'redis://from-env:1',
    });
    process.env.REDIS_QUEUE_URL = 'redis://queue-from-env:2';
    expect(targetsOf(undefined)).toEqual({
      cache: 'redis://from-env:1',
      queue: 'redis://queue-from-env:2',
    });
    expect(targetsOf('redis://option:3')).toEqual({
      cache: 'redis://option:3',
      queue: 'redis://option:3',
    });
  });

  test('may be two servers, each in its own way', () => {
    const sentinel = { sentinels: [{ host: 's', port: 26_379 }], name: 'queue' };
    expect(targetsOf({ cache: 'redis://cache:1', queue: sentinel })).toEqual({
      cache: 'redis://cache:1',
      queue: sentinel,
    });
  });

  const form = 'must be a redis:// URL, ioredis options, { cluster }, or { cache, queue }';
  test.for<[unknown, string]>([
    ['localhost:6379', '`redis` ("localhost:6379") must be a redis:// or rediss:// URL'],
    ['http://a', '`redis` ("http://a") must be a redis:// or rediss:// URL'],
    ['', '`redis` ("") must be a redis:// or rediss:// URL'],
    ['http://user:secret@a', '`redis` ("http://***@a") must be a redis:// or rediss:// URL'],
    [6379, `\`redis\` (6379) ${form}`],
    [['redis://a'], `\`redis\` (an array of 1) ${form}`],
    [{ keyPrefix: 'x:' }, '`redis.keyPrefix` ("x:") is not supported: use `namespace`'],
    [{ cache: 'redis://a', queue: 'b' }, '`redis.queue` ("b") must be a redis:// or rediss:// URL'],
    [{ cache: undefined, queue: 'redis://b' }, `\`redis.cache\` (undefined) ${form}`],
    [{ cache: 'redis://a' }, `\`redis.queue\` (undefined) ${form}`],
    [{ queue: 'redis://b' }, `\`redis.cache\` (undefined) ${form}`],
  ])('is refused: %j', ([redis, message]) => {
    expect(() => targetsOf(redis)).toThrow(expect.objectContaining({ message }));
  });

  test('stands in messages without its password', () => {
    expect(printTarget('redis://user:secret@cache:6380/1')).toBe('redis://***@cache:6380/1');
    expect(printTarget({ host: 'cache', password: 'secret' })).toBe('redis://cache:6379');
    expect(printTarget({ path: '/run/redis.sock' })).toBe('/run/redis.sock');
    expect(printTarget({ sentinels: [], name: 'shop' })).toBe('sentinel master "shop"');
  });
});

describe('an option that breaks its rule is refused with path, value and rule', () => {
  const whole = 'must be a whole number of at least 1';

  test.for<[(options: object) => unknown, object, string]>([
    [resolveCache, { namespace: 'a:b' }, '`namespace` ("a:b") must match ^[A-Za-z0-9_.-]{1,64}$'],
    [resolveCache, { readTimeout: 0 }, '`readTimeout` (0) must be at least 1 ms'],
    [resolveCache, { readTimeout: '25d' }, '`readTimeout` ("25d") must be at most 2147483647 ms'],
    [resolveCache, { lockTtl: 99 }, '`lockTtl` (99) must be at least 100 ms'],
    [resolveCache, { flushInterval: 50 }, '`flushInterval` (50) must be at least 100 ms'],
    [resolveCache, { recordRate: 0 }, `\`recordRate\` (0) ${whole}`],
    [resolveCache, { recordRate: Number.POSITIVE_INFINITY }, `\`recordRate\` (Infinity) ${whole}`],
    [resolveCache, { maxPendingKeys: 1.5 }, `\`maxPendingKeys\` (1.5) ${whole}`],
    [resolveScheduler, { tickInterval: 49 }, '`tickInterval` (49) must be at least 50 ms'],
    [resolveScheduler, { claimTtl: '50ms' }, '`claimTtl` ("50ms") must be at least 100 ms'],
    [resolveScheduler, { mode: 'dry' }, "`mode` (\"dry\") must be 'active' or 'shadow'"],
    [resolveScheduler, { maxTrackedKeys: '9' }, `\`maxTrackedKeys\` ("9") ${whole}`],
    [resolveWorker, { concurrency: -1 }, `\`concurrency\` (-1) ${whole}`],
    [resolveWorker, { lockTtl: 0 }, '`lockTtl` (0) must be at least 100 ms'],
    [
      resolveWorker,
      { grace: 'a while' },
      "`grace` (\"a while\") must be a duration: milliseconds as a number, or text like '250ms', '30s', '5m', '2h', '1d'",
    ],
  ])('%#: $2', ([resolve, options, message]) => {
    expect(() => resolve(options)).toThrow(InvalidOptionError);
    expect(() => resolve(options)).toThrow(expect.objectContaining({ message }));
  });
});
