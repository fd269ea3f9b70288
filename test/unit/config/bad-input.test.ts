import { describe, expect, test } from 'vitest';
import { resolveCache, resolveScheduler, resolveWorker } from '../../../src/config/options.ts';
import { EverwarmError, InvalidOptionError } from '../../../src/core/errors.ts';
import { createRateLimiter } from '../../../src/create-rate-limiter.ts';
import {
  checkGlob,
  checkTags,
  checkVersion,
  resolveInvalidate,
} from '../../../src/invalidate/invalidate-options.ts';
import { tagsOf } from '../../../src/load/entry-tags.ts';
import { type AnyLoader, defineLoader } from '../../../src/loaders/define-loader.ts';
import { LoaderRegistry } from '../../../src/loaders/registry.ts';
import { ttlOfValue } from '../../../src/loaders/times.ts';

type Call = (options: never) => unknown;

const load = () => 1;
const loader = (more: object): unknown => defineLoader({ name: 'a', ttl: '1m', load, ...more });
const limiter = (more: object): unknown =>
  createRateLimiter({ name: 'a', max: 1, per: '1s', ...more });
const registry = ({ loaders }: { loaders: never }): unknown => new LoaderRegistry(loaders);
const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: 1 }) } };

const NOT_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, '5', true, null, {}, []];
const span = [-1, '5 minutes', '-1s', '1s ', '', ...NOT_NUMBERS];
const positiveSpan = [0, ...span];
const whole = [0, -1, 1.5, 2 ** 53, ...NOT_NUMBERS];
const yesOrNo = ['yes', 'false', 1, 0, null, {}];
const name = ['', 'a:b', 'ä', 'a'.repeat(65), 5, null, {}];
const functions = ['x', 5, true, null, {}];
const objects = ['x', 5, true, null, []];
const share = [-0.1, Number.NaN, Number.POSITIVE_INFINITY, '0.1', true, null];

/** The option's path, what takes it, and values that break its rule. */
const TABLE: readonly [path: string, take: Call, values: readonly unknown[]][] = [
  ['namespace', resolveCache, name],
  ['strict', resolveCache, yesOrNo],
  ['redis', resolveCache, ['', 'localhost', 'http://a', 5, true, [], new Map()]],
  ['readTimeout', resolveCache, [...positiveSpan, '25d']],
  ['lockTtl', resolveCache, [...positiveSpan, 99, '25d']],
  ['recording', resolveCache, yesOrNo],
  ['recordRate', resolveCache, whole],
  ['flushInterval', resolveCache, [...positiveSpan, 99]],
  ['maxPendingKeys', resolveCache, whole],
  ['memory', resolveCache, ['x', 5, true, null, [], {}, { ttl: '1s' }]],
  ['warmOnStart', resolveCache, objects],
  ['warmOnStart.hottest', resolveCache, [...whole, undefined, 100_001]],
  ['memory.maxEntries', resolveCache, whole],
  ['memory.maxBytes', resolveCache, whole],
  ['memory.ttl', within(resolveCache, 'memory', { maxEntries: 1 }), positiveSpan],
  ['memory.freeze', within(resolveCache, 'memory', { maxEntries: 1 }), yesOrNo],
  ['memory.clone', within(resolveCache, 'memory', { maxEntries: 1 }), yesOrNo],
  ['onInvalidate', resolveCache, functions],

  ['tickInterval', resolveScheduler, [...positiveSpan, 49]],
  ['claimTtl', resolveScheduler, [...positiveSpan, 99]],
  ['maxTrackedKeys', resolveScheduler, whole],
  ['maxTrackedBytes', resolveScheduler, whole],
  ['concurrency', resolveWorker, whole],
  ['lockTtl', resolveWorker, [...positiveSpan, 99]],
  ['grace', resolveWorker, span],
  ['loaders', registry, ['x', 5, true, {}, []]],

  ['name', loader, [undefined, ...name]],
  ['loader "a": ttl', loader, [undefined, 99, '36501d', ...positiveSpan]],
  ['loader "a": nominalTtl', loader, ['1m', ...positiveSpan]],
  ['loader "a": load', loader, [undefined, ...functions]],
  ['loader "a": loadMany', loader, functions],
  ['loader "a": version', loader, whole],
  [
    'loader "a": loadTimeout',
    loader,
    [null, ...positiveSpan.filter((value) => typeof value !== 'object')],
  ],
  ['loader "a": loadTimeout.soft', loader, [...span, 30_000, '1m']],
  ['loader "a": loadTimeout.hard', loader, positiveSpan],
  ['loader "a": staleWhileRevalidate', loader, span],
  ['loader "a": staleIfError', loader, span],
  ['loader "a": maxStaleness', loader, span],
  ['loader "a": notFoundTtl', loader, [99, ...positiveSpan]],
  ['loader "a": emptyGuard', loader, ['x', 5, null]],
  ['loader "a": emptyGuard.share', loader, [1.1, ...share.filter((value) => value !== null)]],
  ['loader "a": emptyGuard.atLeast', loader, [1_001, ...whole]],
  ['loader "a": tags', loader, [['a'], ...functions]],
  ['loader "a": memory', loader, ['x', 5, true, null, [], {}]],
  ['loader "a": memory.maxEntries', loader, whole],
  ['loader "a": codec', loader, ['xml', 5, true, null, load]],
  ['loader "a": codec.name', within(loader, 'codec', { encode: load, decode: load }), name],
  ['loader "a": codec.encode', within(loader, 'codec', { name: 'x' }), [undefined, ...functions]],
  ['loader "a": compress', loader, ['zip', 5, true, false, null]],
  ['loader "a": compress.algorithm', loader, [undefined, 'zip', 5, null]],
  [
    'loader "a": compress.above',
    within(loader, 'compress', { algorithm: 'gzip' }),
    [-1, 0.5, ...NOT_NUMBERS],
  ],
  ['loader "a": limit', loader, [...objects, false]],
  ['loader "a": limit.max', within(loader, 'limit', { per: '1s' }), [undefined, 100_001, ...whole]],
  ['loader "a": limit.per', within(loader, 'limit', { max: 1 }), [undefined, 99, ...positiveSpan]],
  [
    'loader "a": limit',
    within(loader, 'origin', { rate: { max: 1, per: '1s' } }),
    [{ max: 1, per: '1s' }],
  ],
  ['loader "a": origin', loader, [...objects, false]],
  ['loader "a": origin.concurrency', loader, [10_001, ...whole]],
  ['loader "a": origin.rate', loader, [...objects, false]],
  [
    'loader "a": origin.rate.max',
    withinOrigin('rate', { per: '1s' }),
    [undefined, 100_001, ...whole],
  ],
  [
    'loader "a": origin.rate.per',
    withinOrigin('rate', { max: 1 }),
    [undefined, 99, ...positiveSpan],
  ],
  ['loader "a": origin.breaker', loader, [...objects, false]],
  ['loader "a": origin.breaker.failures', loader, [undefined, 10_001, ...whole]],
  [
    'loader "a": origin.breaker.of',
    withinOrigin('breaker', { failures: 2, openFor: '1s' }),
    [1, 10_001, ...whole],
  ],
  [
    'loader "a": origin.breaker.openFor',
    withinOrigin('breaker', { failures: 1 }),
    [undefined, 99, '61m', ...positiveSpan],
  ],
  ['loader "a": origin.retryAfter', loader, functions],
  ['loader "a": refresh', loader, objects],
  ['loader "a": refresh.threshold', loader, [0, 1e7, ...share]],
  ['loader "a": refresh.wasteBudget', loader, [1.1, ...share]],
  ['loader "a": refresh.beta', loader, [101, ...share]],
  ['loader "a": refresh.spread', loader, [0.6, ...share]],
  ['loader "a": refresh.minLead', loader, ['55s', ...span]],
  ['loader "a": schema', loader, ['x', 5, true, null, {}, load]],
  ['loader "a": validateOnRead', (more) => loader({ schema, ...(more as object) }), yesOrNo],

  ['name', limiter, [undefined, ...name]],
  ['max', limiter, [undefined, 100_001, ...whole]],
  ['per', limiter, [undefined, 99, '25d', ...positiveSpan]],

  ['soft', resolveInvalidate, yesOrNo],
  ['durable', resolveInvalidate, yesOrNo],
  ['again', resolveInvalidate, ['25d', ...positiveSpan]],
  ['version', ({ version }: { version: never }) => checkVersion(version), [0, -1, 1.5, '1', true]],
  ['tags', ({ tags }: { tags: never }) => checkTags(tags), [undefined, 5, true, null, {}]],
  ['tags[0]', ({ tags }: { tags: never }) => checkTags([tags]), ['', 5, null, 'ä'.repeat(129)]],
  ['pattern', ({ pattern }: { pattern: never }) => checkGlob(pattern), ['', 5, null, '*', '**']],
];

describe.each(TABLE)('%s', (path, take, values) => {
  test.for(values.map((value) => [value]))('is not %j', ([value]) => {
    const error = thrownBy(() => take(optionsWith(path, value) as never));

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toBeInstanceOf(EverwarmError);
    const [, named, rule] = /^`([^`]+)` \([\s\S]*\) (.*)$/.exec((error as Error).message) ?? [];
    expect(named).toBe(path);
    expect(rule).toMatch(/^(must|needs|is|matches|contradicts)\b/);
  });
});

describe('options that contradict each other are refused', () => {
  test.for<[string, () => unknown]>([
    [
      '`memory.clone` (true) contradicts `freeze: true`',
      () => resolveCache({ memory: { maxEntries: 1, freeze: true, clone: true } }),
    ],
    [
      '`loader "a": staleWhileRevalidate` ("1s") needs background loads, and `refresh` is false',
      () => loader({ refresh: false, staleWhileRevalidate: '1s' }),
    ],
    [
      '`loader "a": staleIfError` ("2s") must be at most maxStaleness (1000 ms)',
      () => loader({ staleIfError: '2s', maxStaleness: '1s' }),
    ],
    [
      '`loader "a": loadTimeout.soft` ("2s") must be less than the hard one (1000 ms)',
      () => loader({ loadTimeout: { soft: '2s', hard: '1s' } }),
    ],
    ['`loader "a": validateOnRead` (true) needs a schema', () => loader({ validateOnRead: true })],
    [
      '`loader "a": nominalTtl` ("1m") is for a `ttl` that is a function',
      () => loader({ nominalTtl: '1m' }),
    ],
    [
      '`loader "a": nominalTtl` (undefined) is needed where `ttl` is a function: the usual ttl, by which heat is measured',
      () => loader({ ttl: () => '1m' }),
    ],
    [
      '`loader "a": codec.name` ("json") is the name of a built-in codec: a custom one needs a name of its own',
      () => loader({ codec: { name: 'json', encode: load, decode: load } }),
    ],
  ])('%s', ([message, take]) => {
    expect(thrownBy(take)).toMatchObject({ name: 'InvalidOptionError', message });
  });
});

describe("what a loader's functions answer is held to the rules", () => {
  const many = Array.from({ length: 33 }, (_, at) => `tag-${at}`);
  const tags = [undefined, null, 'a', {}, [5], [''], ['a', null], many];
  test.for(tags.map((answer) => [answer]))('tags: %j', ([answer]) => {
    const tagged = loader({ tags: () => answer }) as AnyLoader;
    expect(thrownBy(() => tagsOf(tagged, 'k'))).toMatchObject({
      name: 'InvalidOptionError',
      message: expect.stringMatching(/^`loader "a": tags\(k\)(\[\d\])?` \(.*\) must be /),
    });
  });

  const nonsense = [undefined, null, -1, '5 minutes', Number.NaN, Number.POSITIVE_INFINITY, {}];
  test.for(nonsense)('ttl: %j', (ttl) => {
    const varying = loader({ ttl: () => ttl, nominalTtl: '1m' }) as AnyLoader;
    expect(thrownBy(() => ttlOfValue(varying, 1, 'k'))).toMatchObject({
      name: 'InvalidOptionError',
      message: expect.stringMatching(
        /^`loader "a": ttl\(value, params\)` \(.*\) must be a duration/,
      ),
    });
  });
});

describe('options that are no object are refused', () => {
  const takers: [string, Call][] = [
    ['createCache', resolveCache],
    ['createScheduler', resolveScheduler],
    ['createWorker', resolveWorker],
    ['createRateLimiter', createRateLimiter],
    ['defineLoader', defineLoader],
    ['invalidate', resolveInvalidate],
  ];
  test.for(takers)('by %s', ([, take]) => {
    for (const options of [null, 'redis://127.0.0.1', 5]) {
      expect(thrownBy(() => take(options as never))).toBeInstanceOf(InvalidOptionError);
    }
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

/** Options that have the value at the end of the path, which may begin with a loader's name. */
function optionsWith(path: string, value: unknown): object {
  const names = path
    .replace(/^loader "a": /, '')
    .replace('[0]', '')
    .split('.');
  return names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

/** Takes the options with what else one of them, itself an object, needs. */
function within(take: Call, option: string, more: object): Call {
  return (options: Record<string, object>) =>
    take({ ...options, [option]: { ...more, ...options[option] } } as never);
}

/** As `within`, of a part of `origin`. */
function withinOrigin(part: string, more: object): Call {
  return ({ origin }: { origin: Record<string, object> }) =>
    loader({ origin: { [part]: { ...more, ...origin[part] } } });
}
