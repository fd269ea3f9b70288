import { randomBytes } from 'node:crypto';
import type { Fire } from './plan-times.ts';

/** The name of a plan's run for one fire: the same in every process, so that it is added once. */
export function runIdOf(plan: string, fire: Fire): string {
  // Neither BullMQ's job ids nor the names of runs may have a colon.
  return `${plan}.${fire.name
    .replaceAll(':', '')
    .replace('+', '-E')
    .replace(/-(?=\d{4}$)/, '-W')}`;
}

/** The name of a run that somebody wants now. */
export function newRunId(plan: string): string {
  return `${plan}.by-hand.${randomBytes(6).toString('hex')}`;
}
