import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import { Glob } from '../core/glob.ts';
import type { Invalidation } from '../core/invalidation.ts';
import { parseInvalidation } from '../invalidate/parse-invalidation.ts';

/** What the command line names. */
export interface InvalidateArguments {
  readonly loader: string | undefined;
  readonly keys: readonly string[];
}

export interface TargetFlags {
  readonly tag?: readonly string[];
  readonly pattern?: string;
  /** Every key of this loader. */
  readonly loader?: string;
  readonly soft?: boolean;
}

/**
 * What `everwarm invalidate` is to invalidate: keys or a pattern of a loader, tags, or a whole loader.
 *
 * @throws InvalidOptionError for none of these or several, for a pattern that matches every key;
 * InvalidKeyError for text that is no key
 */
export function invalidationOf(
  { loader, keys }: InvalidateArguments,
  { tag, pattern, loader: whole, soft = false }: TargetFlags,
): Invalidation {
  const kinds = [
    keys.length > 0 && 'KEY',
    tag && '--tag',
    pattern !== undefined && '--pattern',
    whole !== undefined && '--loader',
  ].filter((kind) => typeof kind === 'string');
  const [kind] = kinds;
  if (kind === undefined) {
    const what = loader === undefined ? 'nothing' : `"${loader}" alone`;
    const rule = 'it takes LOADER KEY..., LOADER --pattern GLOB, --tag TAG... or --loader NAME';
    throw new EverwarmError('INVALID_OPTION', `invalidate ${what}: ${rule}`);
  }
  if (kinds.length > 1) {
    throw new InvalidOptionError('invalidate', kinds.join(' '), 'must be one of them at a time');
  }
  return parseInvalidation({ ...target({ loader, keys }, { tag, pattern, whole }), soft });
}

function target(
  { loader, keys }: InvalidateArguments,
  given: {
    readonly tag: readonly string[] | undefined;
    readonly pattern: string | undefined;
    readonly whole: string | undefined;
  },
): object {
  const { tag, pattern, whole } = given;
  if (loader !== undefined && (tag || whole !== undefined)) {
    const rule = `is one argument too many: ${tag ? '--tag is' : '--loader is'} all there is to say`;
    throw new InvalidOptionError('invalidate', loader, rule);
  }
  if (tag) return { kind: 'tags', tags: tag };
  if (whole !== undefined) return { kind: 'loader', loader: whole, version: null };
  if (pattern === undefined) return { kind: 'keys', loader, keys };
  if (loader === undefined) {
    throw new InvalidOptionError('--pattern', pattern, 'needs the name of its loader before it');
  }
  if (new Glob(pattern).matchesAll) {
    const rule = `matches every key: say so with --loader ${loader}`;
    throw new InvalidOptionError('--pattern', pattern, rule);
  }
  return { kind: 'pattern', loader, glob: pattern };
}
