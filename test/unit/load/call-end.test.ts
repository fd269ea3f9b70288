import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoaderError } from '../../../src/core/errors.ts';
import { endOf, pauseMsOf } from '../../../src/load/call-end.ts';
import { type AnyLoader, defineLoader } from '../../../src/loaders/define-loader.ts';
import type { Loaded } from '../../../src/loaders/run-loader.ts';

const answered: Loaded = { value: 1, etag: null };

function failed(cause: unknown, code: LoaderError['code'] = 'LOADER_FAILED'): Loaded {
  return { error: new LoaderError(code, 'failed', { cause }) };
}

function loader(origin: object = {}): AnyLoader {
  return defineLoader({ name: 'a', ttl: '1m', load: () => 1, origin });
}

describe('the end of a call', () => {
  test.for([
    ['answered', [answered]],
    ['answered', [failed('no'), answered]],
    ['answered', [failed('no', 'SCHEMA_MISMATCH')]],
    ['failed', [failed('no'), failed('no', 'LOADER_TIMEOUT')]],
    ['failed', [failed('no'), failed('no', 'LOAD_ABORTED')]],
    ['none', [failed('no', 'LOAD_ABORTED')]],
    ['none', [failed('no', 'CLOSED')]],
    ['none', []],
  ] as const)('is %s', ([end, answers]) => {
    expect(endOf(answers)).toBe(end);
  });
});

describe('the pause that an error asks for', () => {
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
    vi.spyOn(process, 'emitWarning').mockImplementation((text) => void warnings.push(String(text)));
  });
  afterEach(() => void vi.restoreAllMocks());

  test('is its retryAfterMs, the longest of several, at most an hour', () => {
    const answers = [failed({ retryAfterMs: 5 }), answered, failed({ retryAfterMs: 70 })];
    expect(pauseMsOf(loader(), answers)).toBe(70);
    expect(pauseMsOf(loader(), [failed({ retryAfterMs: 1e12 })])).toBe(3_600_000);
  });

  test('is none where that is nonsense', () => {
    const thrower = {
      get retryAfterMs(): number {
        throw new Error('no');
      },
    };
    const causes = [
      null,
      undefined,
      'text',
      {},
      thrower,
      ...[-1, Number.NaN, '5', 1 / 0].map((retryAfterMs) => ({ retryAfterMs })),
    ];
    for (const cause of causes) expect(pauseMsOf(loader(), [failed(cause)])).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('is asked for once of an error that fails many keys', () => {
    const retryAfter = vi.fn(() => 20);
    const cause = new Error('busy');
    expect(pauseMsOf(loader({ retryAfter }), [failed(cause), failed(cause)])).toBe(20);
    expect(retryAfter.mock.calls).toEqual([[cause]]);
  });

  const nonsense: [text: string, retryAfter: () => unknown][] = [
    ['"5"', () => '5'],
    ['NaN', () => Number.NaN],
    ['-1', () => -1],
    ['Infinity', () => Number.POSITIVE_INFINITY],
    ['an object of type Promise', () => Promise.reject(new Error('async'))],
    ['null', () => null],
  ];
  test.for(nonsense)(
    'is none, and a warning, where retryAfter answers %s',
    ([text, retryAfter]) => {
      expect(pauseMsOf(loader({ retryAfter }), [failed('no')])).toBe(0);
      expect(warnings).toEqual([
        `\`loader "a": origin.retryAfter(error)\` (${text}) must be milliseconds or undefined`,
      ]);
    },
  );

  test('is none, and a warning, where retryAfter throws', () => {
    const retryAfter = (): never => {
      throw new Error('broken');
    };
    expect(pauseMsOf(loader({ retryAfter }), [failed('no')])).toBe(0);
    expect(warnings[0]).toMatch(/^`loader "a": origin.retryAfter\(error\)` \(.*\) must not throw$/);
  });
});
