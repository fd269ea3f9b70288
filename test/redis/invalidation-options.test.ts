import { describe, expect, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { commandCalls, entryKey, openCache, ownServer } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

const item = defineLoader({
  name: 'item',
  ttl: '10m',
  tags: () => ['t'],
  load: async (id: string) => id,
});
const top = defineLoader({ name: 'top', ttl: '10m', load: async () => 'top' });

describe('a loader without params', () => {
  test('is invalidated with and without options', async () => {
    const cache = await openCache({ loaders: [top] });
    await cache.get(top);
    expect(await cache.invalidate(top)).toBe(true);
    await cache.get(top);
    expect(await cache.invalidate(top, null, { soft: true })).toBe(true);
    expect(await cache.invalidateMany(top, [null])).toBe(1);
  });
});

describe('bad input', () => {
  const confirm = 'matches every key: pass `{ confirm: true }`';
  type Call = (cache: Awaited<ReturnType<typeof openCache>>) => Promise<unknown>;

  test.each<[string, Call, string]>([
    ['a pattern over everything', (cache) => cache.invalidatePattern(item, '**'), confirm],
    ['a pattern of stars and ?', (cache) => cache.invalidatePattern(item, '?*'), confirm],
    ['an empty pattern', (cache) => cache.invalidatePattern(item, ''), 'must be a text'],
    [
      'a long pattern',
      (cache) => cache.invalidatePattern(item, 'x'.repeat(5_000)),
      'must be a text',
    ],
    [
      'a namespace without confirmation',
      (cache) => cache.invalidateNamespace({} as never),
      '`confirm` (undefined) must be true',
    ],
    [
      'no options for a namespace',
      (cache) => cache.invalidateNamespace(undefined as never),
      '`confirm` (undefined) must be true',
    ],
    [
      'a version that is none',
      (cache) => cache.invalidateLoader(item, { version: 1.5 }),
      '`version` (1.5) must be a whole number',
    ],
    [
      'a soft that is no boolean',
      (cache) => cache.invalidate(item, 'a', { soft: 'yes' as never }),
      '`soft` ("yes") must be true or false',
    ],
    [
      'an again that is no duration',
      (cache) => cache.invalidate(item, 'a', { again: 'soon' as never }),
      '`again` ("soon") must be a duration',
    ],
    [
      'an invalidation that is none',
      (cache) => cache.applyInvalidation({ kind: 'all' } as never),
      '`invalidation.kind` ("all") is not a kind of invalidation',
    ],
  ])('is refused: %s', async (what, call, message) => {
    const cache = await openCache({ loaders: [item] });
    await cache.get(item, 'a');

    await expect(call(cache)).rejects.toThrow(message);
    expect((await cache.getWithMeta(item, 'a')).source, what).toBe('redis');
  });

  test('is what another region says that is no invalidation', async () => {
    const cache = await openCache({ loaders: [item] });
    const bad = [
      null,
      'item',
      { kind: 'keys', loader: 'a:b', keys: [] },
      { kind: 'keys', loader: 'item', keys: ['{"b":1,"a":2}'] },
      { kind: 'keys', loader: 'item', keys: [7] },
      { kind: 'tags', tags: [''] },
      { kind: 'pattern', loader: 'item', glob: 7 },
      { kind: 'namespace', soft: 1 },
      { kind: 'namespace', againMs: Number.POSITIVE_INFINITY },
    ];
    for (const one of bad) {
      const code = expect.stringMatching(/^INVALID_(OPTION|KEY)$/);
      await expect(
        cache.applyInvalidation(one as never),
        JSON.stringify(one),
      ).rejects.toMatchObject({ code });
    }
  });

  test('a pattern over everything is carried out when it is confirmed', async () => {
    const cache = await openCache({ loaders: [item] });
    await cache.get(item, 'a');
    expect(await cache.invalidatePattern(item, '*', { confirm: true })).toBe(1);
  });
});

describe('durable', () => {
  test('is confirmed when a replica has it', async () => {
    const master = await ownServer('--repl-diskless-sync-delay', '0');
    const { port } = new URL(master.url);
    const replica = await ownServer('--replicaof', '127.0.0.1', port);
    const cache = await openCache({ redis: master.url, namespace: 'ns', loaders: [item] });
    const copy = connect(replica.url);
    await expect
      .poll(() => copy.info('replication'), { timeout: 10_000 })
      .toContain('master_link_status:up');
    await cache.get(item, 'a');
    await cache.get(item, 'b');

    expect(await cache.invalidate(item, 'a', { durable: true })).toBe(true);
    expect(await copy.exists(entryKey('ns', item, 'a'))).toBe(0);
    expect(await cache.invalidateLoader(item, { durable: true })).toBe(1);
    expect(await copy.exists(entryKey('ns', item, 'b'))).toBe(0);
  });

  test('throws when none has, though it is done; reads go on meanwhile', async () => {
    const server = await ownServer();
    const cache = await openCache({ redis: server.url, loaders: [item] });
    await cache.get(item, 'a');
    await cache.get(item, 'b');

    const failing = cache.invalidate(item, 'a', { durable: true });
    failing.catch(() => undefined);
    await expect
      .poll(async () => (await commandCalls(connect(server.url))).unlink ?? 0, { interval: 5 })
      .toBe(1);
    const reads = await Promise.all(Array.from({ length: 20 }, () => cache.getWithMeta(item, 'b')));
    expect(new Set(reads.map(({ source }) => source))).toEqual(new Set(['redis']));

    await expect(failing).rejects.toThrow('reached no replica within 1000 ms');
    expect((await cache.getWithMeta(item, 'a')).source).toBe('loader');
    const clients = String(await connect(server.url).client('LIST'));
    expect(clients.match(/name=everwarm:cache /g)).toHaveLength(2);
  });
});
