import { checkHottest } from '../config/rules.ts';
import { InvalidOptionError } from '../core/errors.ts';

/** The loader's hottest keys, as the tracker has them when the run starts. */
export interface Hottest {
  /** So many, the hottest first. */
  readonly hottest: number;
  /**
   * Of the hour of the peak, or of the run without one, a local day or week before; `'expected'`: of both and
   * of now, by how well each has foretold so far; without it, of now.
   */
  readonly of?: PastHour | 'expected';
}

export type PastHour = 'same hour yesterday' | 'same hour last week';

export interface KeysContext {
  /** Aborts when the run ends before its time. */
  readonly signal: AbortSignal;
  /** The peak that the run is for, epoch ms. */
  readonly peakAtMs: number | null;
}

type Params<P> = Iterable<P> | AsyncIterable<P>;

/** Where keys come from: params, a function that answers them anew for each run, or the hottest. */
export type KeySource<P> =
  | Params<P>
  | ((context: KeysContext) => Params<P> | Promise<Params<P>>)
  | Hottest;

/** One source, or a union: an array in which at least one is a function, `{ hottest }`, or iterable and neither text nor array. */
export type WarmKeys<P> = KeySource<P> | readonly KeySource<P>[];

/** Checked sources: params are whatever the loader takes. */
export type Source =
  | { readonly kind: 'params'; readonly params: Params<unknown> }
  | { readonly kind: 'function'; readonly answer: (context: KeysContext) => unknown }
  | { readonly kind: 'hottest'; readonly hottest: number; readonly of: HottestOf };

/** Of now, of a past hour, or of the hour to come. */
export type HottestOf = 'now' | 'yesterday' | 'lastWeek' | 'expected';
export type HottestSource = Extract<Source, { readonly kind: 'hottest' }>;

const HOTTEST_OF = new Map<unknown, HottestOf>([
  ['same hour yesterday', 'yesterday'],
  ['same hour last week', 'lastWeek'],
  ['expected', 'expected'],
]);
const RULE =
  'must be (async) iterable params, a function that answers them, { hottest }, or an array of these';

/** @throws InvalidOptionError for what is no source of keys */
export function resolveKeys(keys: unknown, path: string): readonly Source[] {
  if (!isUnion(keys)) return [sourceOf(keys, path)];
  return keys.map((source, at) => sourceOf(source, `${path}[${at}]`));
}

/** An array is a union only if it has what cannot be params of a list, which are JSON data. */
function isUnion(keys: unknown): keys is readonly unknown[] {
  return (
    Array.isArray(keys) &&
    keys.some(
      (one) =>
        typeof one === 'function' || isHottest(one) || (isIterable(one) && !Array.isArray(one)),
    )
  );
}

function sourceOf(source: unknown, path: string): Source {
  if (typeof source === 'function') {
    return { kind: 'function', answer: source as (context: KeysContext) => unknown };
  }
  if (isHottest(source)) {
    const { hottest } = source;
    const of = source.of === undefined ? 'now' : HOTTEST_OF.get(source.of);
    if (of === undefined) {
      const rule = `must be ${[...HOTTEST_OF.keys()].map((one) => `'${one}'`).join(' or ')}`;
      throw new InvalidOptionError(`${path}.of`, source.of, rule);
    }
    return { kind: 'hottest', hottest: checkHottest(hottest, `${path}.hottest`), of };
  }
  if (!isIterable(source)) throw new InvalidOptionError(path, source, RULE);
  if ('next' in source) {
    const rule = 'can be read only once: pass the function that makes it';
    throw new InvalidOptionError(path, source, rule);
  }
  return { kind: 'params', params: source };
}

function isHottest(value: unknown): value is Hottest {
  return value !== null && typeof value === 'object' && 'hottest' in value && !isIterable(value);
}

/** Whether it can be looped over; text cannot: its characters are no keys. */
export function isIterable(value: unknown): value is Params<unknown> {
  if (value === null || typeof value !== 'object') return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
