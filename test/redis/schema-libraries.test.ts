import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineLoader, type StandardSchemaV1 } from '../../src/index.ts';
import { entryBytes, entryKey, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

interface User {
  name: string;
  address: { zip: string };
}

/** The same rule, as each library spells it. */
const SCHEMAS: readonly (readonly [string, StandardSchemaV1<unknown, User>])[] = [
  ['zod', z.object({ name: z.string(), address: z.object({ zip: z.string() }) })],
  ['valibot', v.object({ name: v.string(), address: v.object({ zip: v.string() }) })],
  ['arktype', type({ name: 'string', address: { zip: 'string' } })],
];

const GOOD = { name: 'Ada', address: { zip: '1010' } };
const BAD = { name: 'Ada', address: { zip: 1010 } };

describe.each(SCHEMAS)('a schema of %s', (_, schema) => {
  test('lets what matches pass, and names the path of what does not', async () => {
    const user = defineLoader({
      name: 'user',
      ttl: '1m',
      schema,
      load: async (id: string): Promise<unknown> => (id === 'good' ? GOOD : BAD),
    });
    const cache = await openCache({ loaders: [user] });

    const found = await cache.get(user, 'good');
    expectTypeOf(found).toEqualTypeOf<User>();
    expect(found).toEqual(GOOD);
    await expect(cache.get(user, 'bad')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/key bad.*address\.zip/s),
    });
  });

  test('replaces what is stored and does not match', async () => {
    const namespace = uniqueNamespace();
    const user = defineLoader({
      name: 'user',
      ttl: '1m',
      schema,
      validateOnRead: true,
      load: async (_id: string): Promise<unknown> => GOOD,
    });
    const cache = await openCache({ namespace, loaders: [user] });
    const mismatched = recorded(cache, 'schema:mismatched');
    await connect().set(entryKey(namespace, user, 'a'), entryBytes(BAD), 'PX', 60_000);

    expect(await cache.getWithMeta(user, 'a')).toMatchObject({ value: GOOD, source: 'loader' });
    expect(await cache.getWithMeta(user, 'a')).toMatchObject({ value: GOOD, source: 'redis' });
    expect(mismatched).toEqual([
      { loader: 'user', key: 'a', at: 'read', issues: expect.stringContaining('address.zip') },
    ]);
  });
});
