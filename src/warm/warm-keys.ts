import { InvalidOptionError } from '../core/errors.ts';

/** The loader's hottest keys, as the tracker has them when the run starts. */
export interface Hottest {
  /** So many, the hottest first. */
  readonly hottest: number;
  /** Of the hour of the peak, or of the run without one, a local day or week before; without it, of now. */
  readonly of?: PastHour;
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
  | { readonly kind: 'hottest'; readonly hottest: number; readonly daysAgo: number };

export type HottestSource = Extract<Source, { readonly kind: 'hottest' }>;

const DAYS_AGO = new Map<unknown, number>([
  ['same hour yesterday', 1],
  ['same hour last week', 7],
]);
const MOST_HOTTEST = 100_000;
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
    const { hottest, of } = source;
    const daysAgo = of === undefined ? 0 : DAYS_AGO.get(of);
    if (daysAgo === undefined) {
      const rule = `must be ${[...DAYS_AGO.keys()].map((one) => `'${one}'`).join(' or ')}`;
      throw new InvalidOptionError(`${path}.of`, of, rule);
    }
    if (Number.isSafeInteger(hottest) && hottest >= 1 && hottest <= MOST_HOTTEST) {
      return { kind: 'hottest', hottest, daysAgo };
    }
    const rule = `must be a whole number from 1 to ${MOST_HOTTEST}`;
    throw new InvalidOptionError(`${path}.hottest`, hottest, rule);
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
