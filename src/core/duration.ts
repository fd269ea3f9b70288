import { InvalidOptionError } from './errors.ts';

/** Milliseconds as a number, or a whole or decimal count with a unit: `'250ms'`, `'30s'`, `'1.5h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LIKE = "'250ms', '30s', '5m', '2h', '1d'";
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Turns a duration into milliseconds.
 *
 * @throws InvalidOptionError naming `path`, the value and the rule
 */
export function parseDuration(duration: Duration, path: string): number {
  const ms = typeof duration === 'number' ? duration : parseText(duration);
  if (!Number.isFinite(ms) || ms < 0) {
    const isBare = typeof duration === 'string' && /^\d+(?:\.\d+)?$/.test(duration);
    const rule = isBare ? 'needs a unit' : 'must be a duration: milliseconds as a number, or text';
    throw new InvalidOptionError(path, duration, `${rule} like ${LIKE}`);
  }
  return ms;
}

function parseText(text: unknown): number {
  const match = typeof text === 'string' ? PATTERN.exec(text) : null;
  if (!match) return Number.NaN;
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
