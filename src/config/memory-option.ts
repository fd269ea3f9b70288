import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { DEFAULTS } from './defaults.ts';
import { checkObject, count, LONGEST_LIFE_MS, span, yesOrNo } from './rules.ts';

/** The in-process tier of a loader: values that this process answers without asking Redis. */
export interface MemoryOptions {
  /** Values kept, the least recently read leave first. One of this and `maxBytes` is needed. */
  readonly maxEntries?: number;
  /** Bytes of packed values and keys kept; unpacked they take some times as much. */
  readonly maxBytes?: number;
  /** Longest time a value is answered from memory, never longer than its own life. @defaultValue `'10s'` */
  readonly ttl?: Duration;
  /** Freeze values, as every reader gets the same object. @defaultValue `false` where `NODE_ENV` is `production`, else `true` */
  readonly freeze?: boolean;
  /** Give every reader a copy instead; values with instances of classes are then not held. @defaultValue `false` */
  readonly clone?: boolean;
}

export interface MemorySettings {
  readonly maxEntries: number | null;
  readonly maxBytes: number | null;
  readonly ttlMs: number;
  readonly sharing: 'frozen' | 'cloned' | 'shared';
}

const MIN_MEMORY_TTL_MS = 1;

/** Null: no in-process tier. */
export function resolveMemory(
  options: MemoryOptions | false | undefined,
  path: string,
): MemorySettings | null {
  if (options === undefined || options === false) return null;
  checkObject(options, path, 'must be { maxEntries | maxBytes, ttl } or false');
  const { maxEntries, maxBytes } = options;
  if (maxEntries === undefined && maxBytes === undefined) {
    throw new InvalidOptionError(path, options, 'needs `maxEntries` or `maxBytes`');
  }
  return {
    maxEntries: maxEntries === undefined ? null : count(maxEntries, `${path}.maxEntries`, 1),
    maxBytes: maxBytes === undefined ? null : count(maxBytes, `${path}.maxBytes`, 1),
    ttlMs: span(options.ttl, `${path}.ttl`, {
      or: DEFAULTS.memoryTtlMs,
      min: MIN_MEMORY_TTL_MS,
      max: LONGEST_LIFE_MS,
    }),
    sharing: resolveSharing(options, path),
  };
}

function resolveSharing(options: MemoryOptions, path: string): MemorySettings['sharing'] {
  const byDefault = process.env.NODE_ENV !== 'production';
  const freeze = yesOrNo(options.freeze, `${path}.freeze`, byDefault);
  const clone = yesOrNo(options.clone, `${path}.clone`, false);
  if (options.freeze === true && clone) {
    throw new InvalidOptionError(`${path}.clone`, clone, 'contradicts `freeze: true`');
  }
  if (clone) return 'cloned';
  return freeze ? 'frozen' : 'shared';
}
