import { type Duration, parseDuration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** A namespace or loader name: safe in key names, queue names and metric labels. */
export function checkName(value: unknown, path: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw new InvalidOptionError(path, value, `must match ${NAME.source}`);
}

/** A duration in milliseconds, at least `min`. */
export function span(
  value: Duration | undefined,
  path: string,
  rule: { or: number; min: number },
): number {
  if (value === undefined) return rule.or;
  const ms = parseDuration(value, path);
  if (ms < rule.min) throw new InvalidOptionError(path, value, `must be at least ${rule.min} ms`);
  return ms;
}

/** A whole number of at least one. */
export function count(value: number | undefined, path: string, or: number): number {
  if (value === undefined) return or;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidOptionError(path, value, 'must be a whole number of at least 1');
  }
  return value;
}
