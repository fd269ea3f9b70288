import type { EmptyGuardSettings } from '../core/empty-guard-settings.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { DEFAULTS } from './defaults.ts';
import { between, count } from './rules.ts';

export interface EmptyGuardOptions {
  /** Share of answers without a value, of keys that had one, from which they are not believed. @defaultValue `0.5` */
  readonly share?: number;
  /** So many of them are needed before they are judged. @defaultValue `10` */
  readonly atLeast?: number;
}

const MOST_EMPTY_ANSWERS = 1_000;

/** Null: whatever it answers is believed. @throws InvalidOptionError naming the field, its value and the rule */
export function resolveEmptyGuard(
  option: boolean | EmptyGuardOptions = false,
  at: (field: string) => string,
): EmptyGuardSettings | null {
  if (option === false) return null;
  if (option !== true && (typeof option !== 'object' || option === null)) {
    throw new InvalidOptionError(at('emptyGuard'), option, 'must be true, false or an object');
  }
  const { share, atLeast } = option === true ? {} : option;
  const settings = {
    share: between(share ?? DEFAULTS.emptyGuardShare, at('emptyGuard.share'), [0, 1]),
    atLeast: count(atLeast, at('emptyGuard.atLeast'), DEFAULTS.emptyGuardAtLeast),
  };
  if (settings.atLeast <= MOST_EMPTY_ANSWERS) return settings;
  const rule = `must be at most ${MOST_EMPTY_ANSWERS}`;
  throw new InvalidOptionError(at('emptyGuard.atLeast'), atLeast, rule);
}
