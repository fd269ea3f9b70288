import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import { InvalidOptionError } from '../../../src/core/errors.ts';
import { defineLoader, type LoaderDefinition } from '../../../src/loaders/define-loader.ts';
import type { StandardSchemaV1 } from '../../../src/loaders/schema.ts';

const load = async (id: string): Promise<string> => id;
const valid = { name: 'price', ttl: '5m', load } as const satisfies LoaderDefinition<
  string,
  string
>;

const schema: StandardSchemaV1<unknown, string> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: String(value) }) },
};

/** The message that a definition is refused with, which breaks a rule somewhere. */
function refusal(broken: Record<string, unknown>): string {
  try {
    defineLoader({ ...valid, ...broken } as LoaderDefinition<string, string>);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return (error as Error).message;
  }
  return 'accepted';
}

const REFRESH = { mode: 'shadow', threshold: 2.5, wasteBudget: 0, beta: 0, spread: 0.5 } as const;

describe('a definition', () => {
  test('gets every default', () => {
    const { wasteBudget, beta, spread, minLeadMs, loadTimeoutMs } = DEFAULTS;
    const followed = { wasteBudget, beta, spread, minLeadMs };
    expect(defineLoader(valid)).toEqual({
      name: 'price',
      version: 1,
      ttlMs: 300_000,
      loadTimeoutMs,
      ttlOf: null,
      notFoundTtlMs: null,
      softTimeoutMs: null,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 300_000,
      keptStaleMs: 300_000,
      emptyGuard: null,
      memory: undefined,
      format: { codec: 'msgpack', compression: null },
      origin: null,
      refresh: { ...followed, isOff: false, mode: 'active', threshold: null },
      schema: undefined,
      validateOnRead: false,
      load,
      loadMany: undefined,
      tags: expect.any(Function),
      isTagged: false,
    });
  });

  test('keeps what it says, in milliseconds', () => {
    const loadMany = async (ids: readonly string[]) => ids;
    const loader = defineLoader({
      ...valid,
      ttl: '1d',
      version: 3,
      loadMany,
      loadTimeout: { soft: 50, hard: '2s' },
      staleWhileRevalidate: '1m',
      staleIfError: 0,
      maxStaleness: '1m',
      notFoundTtl: '5s',
      emptyGuard: { atLeast: 3 },
      memory: { maxBytes: 1_000, clone: true },
      codec: 'json',
      compress: 'gzip',
      limit: { max: 100, per: '1s' },
      tags: (id: string) => [id],
      refresh: { ...REFRESH, minLead: '1h' },
      schema,
      validateOnRead: true,
    });

    expect(loader).toEqual({
      name: 'price',
      version: 3,
      ttlMs: 86_400_000,
      ttlOf: null,
      loadTimeoutMs: 2_000,
      softTimeoutMs: 50,
      staleWhileRevalidateMs: 60_000,
      staleIfErrorMs: 0,
      keptStaleMs: 60_000,
      notFoundTtlMs: 5_000,
      emptyGuard: { share: DEFAULTS.emptyGuardShare, atLeast: 3 },
      memory: { maxEntries: null, maxBytes: 1_000, ttlMs: 10_000, sharing: 'cloned' },
      format: { codec: 'json', compression: { algorithm: 'gzip', aboveBytes: 1_024 } },
      origin: expect.objectContaining({ concurrency: null, rate: { max: 100, perMs: 1_000 } }),
      refresh: { ...REFRESH, isOff: false, minLeadMs: 3_600_000 },
      schema,
      validateOnRead: true,
      load,
      loadMany,
      tags: expect.any(Function),
      isTagged: true,
    });
  });

  test("is frozen, and none of the caller's objects", () => {
    const definition = { ...valid, refresh: { threshold: 3 } };
    const loader = defineLoader(definition);
    definition.refresh.threshold = 4;

    expect(Object.isFrozen(loader)).toBe(true);
    expect(loader.refresh.threshold).toBe(3);
    expect(definition).toEqual({ ...valid, refresh: { threshold: 4 } });
  });

  test('may be one that is never refreshed', () => {
    expect(defineLoader({ ...valid, refresh: false }).refresh.isOff).toBe(true);
  });

  test('may have a schema that is a function, as those of arktype are', () => {
    const callable = Object.assign(() => undefined, schema);
    expect(defineLoader({ ...valid, schema: callable }).schema).toBe(callable);
  });

  test('may have the shortest and the longest ttl', () => {
    expect(defineLoader({ ...valid, ttl: 100 }).ttlMs).toBe(100);
    expect(defineLoader({ ...valid, ttl: '36500d' }).staleIfErrorMs).toBe(3_153_600_000_000);
  });
});

describe('a definition is refused', () => {
  const name = 'must match ^[A-Za-z0-9_.-]{1,64}$';
  const ttl = 'loader "price": ttl';
  const duration =
    "must be a duration: milliseconds as a number, or text like '250ms', '30s', '5m', '2h', '1d'";

  test.for<[string, Record<string, unknown>, string]>([
    ['without a name', { name: undefined }, `\`name\` (undefined) ${name}`],
    ['with an empty name', { name: '' }, `\`name\` ("") ${name}`],
    ['with a colon in its name', { name: 'a:b' }, `\`name\` ("a:b") ${name}`],
    ['with a brace in its name', { name: 'a{b' }, `\`name\` ("a{b") ${name}`],
    ['without a ttl', { ttl: undefined }, `\`${ttl}\` (undefined) ${duration}`],
    ['with a ttl that is no duration', { ttl: '5 min' }, `\`${ttl}\` ("5 min") ${duration}`],
    ['with a negative ttl', { ttl: -1 }, `\`${ttl}\` (-1) ${duration}`],
    ['with a ttl under 100 ms', { ttl: 99 }, `\`${ttl}\` (99) must be at least 100 ms`],
    [
      'with a ttl over 100 years',
      { ttl: '36501d' },
      `\`${ttl}\` ("36501d") must be at most 3153600000000 ms`,
    ],
    ['without load', { load: undefined }, '`loader "price": load` (undefined) must be a function'],
    [
      'with a loadMany that is no function',
      { loadMany: {} },
      '`loader "price": loadMany` (an object of type Object) must be a function',
    ],
    [
      'with a version of 0',
      { version: 0 },
      '`loader "price": version` (0) must be a whole number of at least 1',
    ],
    [
      'with half a version',
      { version: 1.5 },
      '`loader "price": version` (1.5) must be a whole number of at least 1',
    ],
    [
      'with no loadTimeout to speak of',
      { loadTimeout: 0 },
      '`loader "price": loadTimeout` (0) must be at least 1 ms',
    ],
    [
      'with a loadTimeout that no timer can wait for',
      { loadTimeout: '25d' },
      '`loader "price": loadTimeout` ("25d") must be at most 2147483647 ms',
    ],
    [
      'with a staleIfError that is no duration',
      { staleIfError: '1w' },
      `\`loader "price": staleIfError\` ("1w") ${duration}`,
    ],
    [
      'with a threshold under 1',
      { refresh: { threshold: 0.5 } },
      '`loader "price": refresh.threshold` (0.5) must be a number from 1 to 1000000',
    ],
    [
      'with a beta that is NaN',
      { refresh: { beta: Number.NaN } },
      '`loader "price": refresh.beta` (NaN) must be a number from 0 to 100',
    ],
    [
      'with a spread over half the ttl',
      { refresh: { spread: 0.6 } },
      '`loader "price": refresh.spread` (0.6) must be a number from 0 to 0.5',
    ],
    [
      'with a spread that is text',
      { refresh: { spread: '0.1' } },
      '`loader "price": refresh.spread` ("0.1") must be a number from 0 to 0.5',
    ],
    [
      'with a minLead over 0.9 of its ttl',
      { refresh: { minLead: '271s' } },
      '`loader "price": refresh.minLead` ("271s") must be at most 0.9 of the ttl (300000 ms)',
    ],
    [
      'with staleWhileRevalidate and no refreshes',
      { refresh: false, staleWhileRevalidate: '1s' },
      '`loader "price": staleWhileRevalidate` ("1s") needs background loads, and `refresh` is false',
    ],
    [
      'with an emptyGuard that is a number',
      { emptyGuard: 10 },
      '`loader "price": emptyGuard` (10) must be true, false or an object',
    ],
    [
      'with an emptyGuard of over 1,000 answers',
      { emptyGuard: { atLeast: 1_001 } },
      '`loader "price": emptyGuard.atLeast` (1001) must be at most 1000',
    ],
    [
      'with an emptyGuard of no answers',
      { emptyGuard: { atLeast: 0 } },
      '`loader "price": emptyGuard.atLeast` (0) must be a whole number of at least 1',
    ],
    [
      'with an emptyGuard whose share is over 1',
      { emptyGuard: { share: 50 } },
      '`loader "price": emptyGuard.share` (50) must be a number from 0 to 1',
    ],
    [
      'with a schema that is no Standard Schema',
      { schema: { parse: load } },
      '`loader "price": schema` (an object of type Object) must be a Standard Schema, version 1: a zod, valibot or arktype schema, say',
    ],
    [
      'with a schema of another version',
      { schema: { '~standard': { version: 2, validate: load } } },
      '`loader "price": schema` (an object of type Object) must be a Standard Schema, version 1: a zod, valibot or arktype schema, say',
    ],
    [
      'with validateOnRead and no schema',
      { validateOnRead: true },
      '`loader "price": validateOnRead` (true) needs a schema',
    ],
    [
      'with a validateOnRead that is text',
      { schema, validateOnRead: 'no' },
      '`loader "price": validateOnRead` ("no") must be true or false',
    ],
  ])('%s', ([, broken, message]) => {
    expect(refusal(broken)).toBe(message);
  });
});
