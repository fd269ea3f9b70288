/** What a look at one thing has found. */
export interface Check {
  /** What was looked at: the same from run to run. */
  readonly name: string;
  /** `'warning'`: it works, but not as well as it could, or not for long. */
  readonly ok: boolean | 'warning';
  readonly message: string;
  /** What to do about it; null where all is well. */
  readonly fix: string | null;
}

export function fine(name: string, message: string): Check {
  return { name, ok: true, message, fix: null };
}

export function warning(name: string, message: string, fix: string): Check {
  return { name, ok: 'warning', message, fix };
}

export function failure(name: string, message: string, fix: string): Check {
  return { name, ok: false, message, fix };
}
