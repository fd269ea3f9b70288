import { describe, expect, test } from 'vitest';
import { defineLoader, defineWarmUp, type WarmUpDefinition } from '../../../src/index.ts';
import { LoaderRegistry } from '../../../src/loaders/registry.ts';
import { planRegistry } from '../../../src/warm/plan-registry.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
const other = defineLoader({ name: 'other', ttl: '1m', load: async (id: string) => id });

const fields = {
  name: 'morning',
  loader: item,
  schedule: '30 8 * * 1-5',
  timezone: 'Europe/Berlin',
  keys: ['a'],
} as const;

const define = (changed: object): unknown =>
  defineWarmUp({ ...fields, ...changed } as WarmUpDefinition<string>);

function* generated(): Generator<string> {
  yield 'a';
}

describe('a plan is refused with', () => {
  test.for([
    [{ name: 'a b' }, '`name` ("a b") must match'],
    [{ loader: 'item' }, '`warm-up "morning": loader` ("item") must come from defineLoader()'],
    [{ schedule: '0 9 31 2 *' }, '`warm-up "morning": schedule` ("0 9 31 2 *") never fires'],
    [{ schedule: '0 0 9 * * *' }, 'must be a cron pattern of 5 fields'],
    [{ schedule: undefined }, 'must be a cron pattern of 5 fields, unless there is a `peakAt`'],
    [{ timezone: 'Europe/Atlantis' }, 'must be an IANA time zone'],
    [{ timezone: undefined }, 'must be an IANA time zone'],
    [{ peakAt: '08:00' }, '`warm-up "morning": peakAt` ("08:00") is not after the start at 08:30'],
    [{ peakAt: '08:30' }, 'is not after the start at 08:30'],
    [{ schedule: '30 8,18 * * *', peakAt: '09:00' }, 'is not after the start at 18:30'],
    [{ peakAt: '25:00' }, "must be a time from '00:00' to '23:59'"],
    [{ peakAt: 'nine' }, "must be a time of day such as '09:00', or a cron pattern"],
    [{ leadTime: 'measured' }, 'needs `peakAt`'],
    [{ leadTime: 'soon' }, 'must be a duration'],
    [{ leadTime: '10m', spreadOver: '20m' }, 'must be at most `leadTime` (600000 ms)'],
    [{ spreadOver: '-1s' }, 'must be a duration'],
    [{ catchUp: '1s' }, '`warm-up "morning": catchUp` ("1s") must be at least 10000 ms'],
    [{ catchUp: '8d' }, 'must be at most 604800000 ms'],
    [{ overlap: 'both' }, "must be 'skip' or 'queue'"],
    [{ priority: 0 }, 'must be a whole number from 1 to 2097151'],
    [{ ttl: 'long' }, 'must be a duration'],
    [{ keys: 'abc' }, 'must be (async) iterable params, a function'],
    [{ keys: undefined }, 'must be (async) iterable params, a function'],
    [{ keys: { hottest: 0 } }, '`warm-up "morning": keys.hottest` (0) must be a whole number'],
    [{ keys: [{ hottest: 1.5 }, () => []] }, 'keys[0].hottest` (1.5) must be'],
    [
      { keys: { hottest: 5, of: 'yesterday' } },
      "must be 'same hour yesterday' or 'same hour last week' or 'expected'",
    ],
    [{ keys: generated() }, 'can be read only once: pass the function that makes it'],
  ] as const)('%j: %s', ([changed, message]) => {
    expect(() => define(changed)).toThrow(message);
  });
});

test('keys are params of the loader', () => {
  const plan = defineWarmUp({ ...fields, keys: [{ hottest: 5 }, async () => ['a']] });
  expect(plan.sources).toHaveLength(2);
  // @ts-expect-error: its params are texts.
  defineWarmUp({ ...fields, keys: [5] });
  // @ts-expect-error: its params are texts.
  defineWarmUp({ ...fields, keys: () => [5] });
});

test('an array is a union only where one of it cannot be params', () => {
  const kinds = (keys: unknown): string[] =>
    (define({ keys }) as { sources: { kind: string }[] }).sources.map(({ kind }) => kind);
  expect(kinds(['a', 'b'])).toEqual(['params']);
  expect(
    kinds([
      ['a', 1],
      ['b', 2],
    ]),
  ).toEqual(['params']);
  expect(kinds([{ hottest: 5 }, ['a', 'b'], generated])).toEqual(['hottest', 'params', 'function']);
  expect(kinds([new Set(['a']), ['a', 'b']])).toEqual(['params', 'params']);
  expect(kinds({ hottest: 5 })).toEqual(['hottest']);
});

describe('the plans of a scheduler', () => {
  const plan = defineWarmUp(fields);
  const loaders = new LoaderRegistry([item]);

  test('have names of their own', () => {
    expect(() => planRegistry([plan, defineWarmUp(fields)], loaders)).toThrow(
      '`warmUps[1].name` ("morning") is the name of two warm-ups: names must be unique',
    );
  });

  test('have loaders that are registered', () => {
    const stray = defineWarmUp({ ...fields, loader: other });
    expect(() => planRegistry([stray], loaders)).toThrow(
      'warm-up "morning": loader "other" is not registered (registered are: item)',
    );
  });

  test('come from defineWarmUp', () => {
    expect(() => planRegistry([{ ...fields } as never], loaders)).toThrow(
      '`warmUps[0]` (an object of type Object) must come from defineWarmUp()',
    );
    expect(() => planRegistry('morning' as never, loaders)).toThrow('must be an array of warm-ups');
  });
});
