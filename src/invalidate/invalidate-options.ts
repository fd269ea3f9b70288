import { checkObject, checkTag, requiredSpan, yesOrNo } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { Glob } from '../core/glob.ts';

/** How to invalidate. */
export interface InvalidateOptions {
  /**
   * Mark entries as stale instead of removing them: where the loader allows stale values they go on being
   * served, and hot keys are refreshed at once through the queue. @defaultValue `false`
   */
  readonly soft?: boolean;
  /** Repeat it once after this time: a load may have read a database replica that lagged. @defaultValue never */
  readonly again?: Duration;
  /** Wait until a replica has it, for at most 1 s; rejects when none has. @defaultValue `false` */
  readonly durable?: boolean;
}

/** For what is easily more than was meant. */
export interface ConfirmOptions extends InvalidateOptions {
  /** Must be `true` for a whole keyspace: a pattern like `*`, or a namespace. */
  readonly confirm?: boolean;
}

export interface LoaderInvalidateOptions extends InvalidateOptions {
  /** Only entries of this version. @defaultValue every version */
  readonly version?: number;
}

export interface InvalidateSettings {
  readonly soft: boolean;
  readonly againMs: number | null;
  readonly durable: boolean;
}

const MOST_GLOB_BYTES = 4_096;

/** @throws InvalidOptionError naming the option, its value and the rule */
export function resolveInvalidate(options: InvalidateOptions = {}): InvalidateSettings {
  checkObject(options, 'options');
  const { soft, again, durable } = options;
  return {
    soft: yesOrNo(soft, 'soft', false),
    againMs: again === undefined ? null : requiredSpan(again, 'again', { min: 1 }),
    durable: yesOrNo(durable, 'durable', false),
  };
}

/** @throws InvalidOptionError for a glob that is none, or matches every key and was not confirmed */
export function checkGlob(glob: unknown, { confirm }: ConfirmOptions = {}): string {
  const isText = typeof glob === 'string' && glob !== '' && glob.isWellFormed();
  if (!isText || Buffer.byteLength(glob) > MOST_GLOB_BYTES) {
    throw new InvalidOptionError(
      'pattern',
      glob,
      `must be a text of 1 to ${MOST_GLOB_BYTES} bytes`,
    );
  }
  if (confirm !== true && new Glob(glob).matchesAll) {
    throw new InvalidOptionError('pattern', glob, 'matches every key: pass `{ confirm: true }`');
  }
  return glob;
}

/** @throws InvalidOptionError unless it was confirmed */
export function checkConfirmed({ confirm }: ConfirmOptions = {}): void {
  if (confirm === true) return;
  const rule = 'must be true: every entry of the namespace is invalidated';
  throw new InvalidOptionError('confirm', confirm, rule);
}

/** @throws InvalidOptionError for what are no tags */
export function checkTags(tags: unknown): readonly string[] {
  const list: unknown = typeof tags === 'string' ? [tags] : tags;
  if (!Array.isArray(list)) {
    throw new InvalidOptionError('tags', tags, 'must be a tag or an array of tags');
  }
  return [...new Set(list.map((tag, at) => checkTag(tag, `tags[${at}]`)))];
}

/** @throws InvalidOptionError for what is no version */
export function checkVersion(version: unknown): number | null {
  if (version === undefined || version === null) return null;
  if (Number.isSafeInteger(version) && Number(version) >= 1) return Number(version);
  throw new InvalidOptionError('version', version, 'must be a whole number of at least 1');
}
