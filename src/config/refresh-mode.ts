import { InvalidOptionError } from '../core/errors.ts';

/** Whether what is planned is carried out, or only reported. */
export type RefreshMode = 'active' | 'shadow';

/** @throws InvalidOptionError naming the option, its value and the rule */
export function checkRefreshMode(value: unknown, path: string): RefreshMode {
  if (value === undefined) return 'active';
  if (value === 'active' || value === 'shadow') return value;
  throw new InvalidOptionError(path, value, "must be 'active' or 'shadow'");
}
