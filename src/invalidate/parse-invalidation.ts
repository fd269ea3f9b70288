import { checkName } from '../config/rules.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { Invalidation, InvalidationTarget } from '../core/invalidation.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import { checkGlob, checkTags, checkVersion, resolveInvalidate } from './invalidate-options.ts';

/**
 * What came from another region, checked as if anybody had sent it.
 *
 * @throws InvalidOptionError, InvalidKeyError
 */
export function parseInvalidation(given: unknown): Invalidation {
  if (given === null || typeof given !== 'object') {
    throw new InvalidOptionError(
      'invalidation',
      given,
      'must be what onInvalidate was called with',
    );
  }
  const { soft, againMs } = given as Partial<Record<string, unknown>>;
  const settings = resolveInvalidate({
    ...(soft === undefined ? {} : { soft: soft as boolean }),
    ...(againMs === undefined ? {} : { again: againMs as number }),
  });
  return {
    ...parseTarget(given as Partial<Record<string, unknown>>),
    soft: settings.soft,
    ...(settings.againMs === null ? {} : { againMs: settings.againMs }),
  };
}

function parseTarget(given: Partial<Record<string, unknown>>): InvalidationTarget {
  const { kind } = given;
  switch (kind) {
    case 'namespace':
      return { kind };
    case 'tags':
      return { kind, tags: checkTags(given.tags) };
    case 'keys':
      return { kind, loader: loaderOf(given), keys: keysOf(given) };
    case 'pattern':
      // It was confirmed where it comes from.
      return { kind, loader: loaderOf(given), glob: checkGlob(given.glob, { confirm: true }) };
    case 'loader':
      return { kind, loader: loaderOf(given), version: checkVersion(given.version) };
    default:
      throw new InvalidOptionError('invalidation.kind', kind, 'is not a kind of invalidation');
  }
}

function loaderOf({ loader }: Partial<Record<string, unknown>>): string {
  return checkName(loader, 'invalidation.loader');
}

function keysOf({ keys }: Partial<Record<string, unknown>>): readonly string[] {
  if (!Array.isArray(keys)) {
    throw new InvalidOptionError('invalidation.keys', keys, 'must be an array of key texts');
  }
  for (const [at, key] of keys.entries()) {
    if (typeof key !== 'string') {
      throw new InvalidOptionError(`invalidation.keys[${at}]`, key, 'must be a key text');
    }
    decodeKey(key);
  }
  return keys as string[];
}
