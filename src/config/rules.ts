import { type Duration, parseDuration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { LONGEST_TIMER_MS } from '../core/wait.ts';

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** A namespace or loader name: safe in key names, queue names and metric labels. */
export function checkName(value: unknown, path: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw new InvalidOptionError(path, value, `must match ${NAME.source}`);
}

const MOST_TAG_BYTES = 256;

/** A tag: any text, but bounded, as it stands in a key name. */
export function checkTag(value: unknown, path: string): string {
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed();
  if (isText && Buffer.byteLength(value) <= MOST_TAG_BYTES) return value;
  throw new InvalidOptionError(path, value, `must be a text of 1 to ${MOST_TAG_BYTES} bytes`);
}

/** Longest life of an entry, 100 years: its expiry must fit into the entry's header. */
export const LONGEST_LIFE_MS: number = 36_500 * 86_400_000;

export interface SpanRule {
  readonly min: number;
  /** By default what a timer can wait for. */
  readonly max?: number;
}

/** A duration in milliseconds, from `min` to `max`. */
export function requiredSpan(value: Duration, path: string, rule: SpanRule): number {
  const ms = parseDuration(value, path);
  const { min, max = LONGEST_TIMER_MS } = rule;
  if (ms < min) throw new InvalidOptionError(path, value, `must be at least ${min} ms`);
  if (ms > max) throw new InvalidOptionError(path, value, `must be at most ${max} ms`);
  return ms;
}

/** As `requiredSpan`, or the default where the option was left out. */
export function span(
  value: Duration | undefined,
  path: string,
  rule: SpanRule & { readonly or: number },
): number {
  return value === undefined ? rule.or : requiredSpan(value, path, rule);
}

/** Options as an object: of text or null nothing could be read, and every default would be taken. */
export function checkObject(value: unknown, path: string, rule = 'must be an object'): void {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return;
  throw new InvalidOptionError(path, value, rule);
}

/** `true` or `false`: of texts, such as an environment's, also `'false'` would be true. */
export function yesOrNo(value: boolean | undefined, path: string, or: boolean): boolean {
  if (value === undefined) return or;
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(path, value, 'must be true or false');
}

/** A whole number of at least one. */
export function count(value: number | undefined, path: string, or: number): number {
  if (value === undefined) return or;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidOptionError(path, value, 'must be a whole number of at least 1');
  }
  return value;
}

/** A number within both bounds. */
export function between(
  value: number,
  path: string,
  [low, high]: readonly [number, number],
): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw new InvalidOptionError(path, value, `must be a number from ${low} to ${high}`);
}

const MOST_HOTTEST = 100_000;

/** How many of the hottest keys. */
export function checkHottest(value: unknown, path: string): number {
  const number = Number.isSafeInteger(value) ? (value as number) : 0;
  if (number >= 1 && number <= MOST_HOTTEST) return number;
  throw new InvalidOptionError(path, value, `must be a whole number from 1 to ${MOST_HOTTEST}`);
}

/** @throws InvalidOptionError for undefined, which stands for nothing there */
export function checkSettable<T>(value: T, path: string): T {
  if (value !== undefined) return value;
  throw new InvalidOptionError(path, value, 'must not be undefined: use invalidate() to remove it');
}
