import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createRateLimiter,
  InvalidKeyError,
  InvalidOptionError,
  type RateLimiter,
  type RateLimiterOptions,
} from '../../src/index.ts';
import { commandCalls, nextEvent, ownServer, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

async function open(options: Partial<RateLimiterOptions> = {}): Promise<RateLimiter> {
  const limiter = createRateLimiter({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    name: 'calls',
    max: 3,
    per: '1m',
    ...options,
  });
  onTestFinished(() => limiter.close());
  await limiter.ready();
  return limiter;
}

/** What so many takes at once answer. */
function takes(limiter: RateLimiter, count: number, key?: string) {
  return Promise.all(Array.from({ length: count }, () => limiter.take(key)));
}

describe('take', () => {
  test('allows max in a window, over all processes that name the limiter alike', async () => {
    const shared = { namespace: uniqueNamespace() };
    const [a, b] = [await open(shared), await open(shared)];
    const other = await open({ ...shared, name: 'other' });

    const answers = [...(await takes(a, 2)), ...(await takes(b, 2))];

    expect(answers.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(answers.map(({ retryAfterMs }) => retryAfterMs > 0)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(await other.take()).toEqual({ allowed: true, remaining: 2, retryAfterMs: 0 });
  });

  test('limits each key by itself', async () => {
    const limiter = await open();
    await takes(limiter, 3, 'user {1}');
    expect(await limiter.take('user {1}')).toMatchObject({ allowed: false });
    expect(await limiter.take('user %7B1%7D')).toMatchObject({ allowed: true, remaining: 2 });
    expect(await limiter.take()).toMatchObject({ allowed: true, remaining: 2 });
  });

  test('waits for its permit if that is to be had within maxWait, and asks Redis once', async () => {
    const server = await ownServer();
    const limiter = await open({ redis: server.url, per: '400ms' });
    const startedAtMs = performance.now();
    const wait = { maxWait: '10s' } as const;
    const answers = await Promise.all(
      Array.from({ length: 7 }, async () => {
        const answer = await limiter.take('a', wait);
        return { ...answer, afterMs: performance.now() - startedAtMs };
      }),
    );
    expect(answers.every(({ allowed, retryAfterMs }) => allowed && retryAfterMs === 0)).toBe(true);
    expect(answers[3]?.afterMs).toBeGreaterThanOrEqual(390);
    expect(answers[6]?.afterMs).toBeGreaterThanOrEqual(790);
    expect((await commandCalls(connect(server.url))).llen).toBe(7);
  });

  test('takes several permits together or none', async () => {
    const limiter = await open();
    expect(await limiter.take('a', { permits: 2 })).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.take('a', { permits: 2 })).toMatchObject({ allowed: false, remaining: 1 });
    expect(await limiter.take('a')).toMatchObject({ allowed: true, remaining: 0 });
  });

  test('rejects with the reason of its signal, before and while it waits', async () => {
    const limiter = await open({ per: '1h' });
    await takes(limiter, 3);
    const reason = new Error('the user has left');
    const signal = AbortSignal.abort(reason);
    await expect(limiter.take('', { signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = limiter.take('', { maxWait: '2h', signal: controller.signal });
    const answered = expect(waiting).rejects.toBe(reason);
    // A second reservation comes back after the first: by then that one waits.
    const closing = limiter.take('', { maxWait: '2h' });
    const closed = expect(closing).rejects.toMatchObject({ code: 'CLOSED' });
    await limiter.take('b');
    controller.abort(reason);
    await answered;
    await limiter.close();
    await closed;
    await expect(limiter.take()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('goes by its own count while Redis is away from the start', async () => {
    const server = await ownServer();
    await server.close();
    const limiter = createRateLimiter({ redis: server.url, name: 'calls', max: 3, per: '1h' });
    onTestFinished(() => limiter.close());
    const failures = recorded(limiter, 'redis:failed');
    const answers = await takes(limiter, 5);
    expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
    expect(answers[4]?.retryAfterMs).toBeGreaterThan(3_590_000);
    expect(failures[0]).toMatchObject({ role: 'queue' });
    await limiter.close();
  });
});

describe('a server that may evict', () => {
  test('is warned about, or refused when strict', async () => {
    const server = await ownServer('--maxmemory-policy', 'allkeys-lru');
    const options = { redis: server.url, name: 'calls', max: 1, per: '1s' } as const;
    const limiter = createRateLimiter(options);
    onTestFinished(() => limiter.close());
    const warnings = recorded(limiter, 'server:unsuitable');
    await limiter.ready();
    expect(warnings).toMatchObject([{ role: 'queue', error: { code: 'REDIS_UNSUITABLE' } }]);
    expect(await limiter.take()).toMatchObject({ allowed: true });

    const strict = createRateLimiter({ ...options, strict: true });
    onTestFinished(() => strict.close());
    await expect(strict.ready()).rejects.toMatchObject({ code: 'REDIS_UNSUITABLE' });
    await expect(strict.take()).rejects.toMatchObject({ code: 'REDIS_UNSUITABLE' });
  });

  test('is warned about when it has come in the place of one that suits', async () => {
    const server = await ownServer();
    const limiter = createRateLimiter({ redis: server.url, name: 'calls', max: 1, per: '1s' });
    onTestFinished(() => limiter.close());
    await limiter.ready();
    const warned = nextEvent(limiter, 'server:unsuitable');
    const redis = connect(server.url);
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect(await warned).toMatchObject({ role: 'queue' });
  });
});

describe('an option that breaks its rule', () => {
  const valid = { name: 'calls', max: 3, per: '1s' } as const;
  const most = 'must be a whole number from 1 to 100000';

  test.for<[Record<string, unknown>, string]>([
    [{ name: 'a:b' }, '`name` ("a:b") must match ^[A-Za-z0-9_.-]{1,64}$'],
    [{ max: 0 }, `\`max\` (0) ${most}`],
    [{ max: 1.5 }, `\`max\` (1.5) ${most}`],
    [{ max: 100_001 }, `\`max\` (100001) ${most}`],
    [{ max: undefined }, `\`max\` (undefined) ${most}`],
    [{ per: 99 }, '`per` (99) must be at least 100 ms'],
    [{ per: '30d' }, '`per` ("30d") must be at most 2147483647 ms'],
    [{ namespace: 'a b' }, '`namespace` ("a b") must match ^[A-Za-z0-9_.-]{1,64}$'],
  ])('is named: %o', ([broken, message]) => {
    const create = (): unknown => createRateLimiter({ ...valid, ...broken } as RateLimiterOptions);
    expect(create).toThrow(InvalidOptionError);
    expect(create).toThrow(message);
  });

  test('of take rejects', async () => {
    const limiter = await open();
    await expect(limiter.take('', { permits: 4 })).rejects.toThrow(
      '`permits` (4) must be a whole number from 1 to 3',
    );
    await expect(limiter.take('', { maxWait: -1 })).rejects.toThrow(InvalidOptionError);
    await expect(limiter.take('x'.repeat(5_000))).rejects.toThrow(InvalidKeyError);
  });
});
