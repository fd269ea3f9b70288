import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import type { Check } from '../doctor/check.ts';
import { runDoctor } from '../doctor/run-doctor.ts';
import { withConnections } from './session.ts';
import { styleFor } from './style.ts';

export type DoctorFlags = Omit<RoleFlags, 'strict'> & {
  readonly json?: boolean;
  /** Warnings count as failures. */
  readonly strict?: boolean;
};

const FAILED = 2;

/** Prints what is wrong, with what to do about it; exits with 2 where a check failed. */
export async function runDoctorCommand({ strict, json, ...flags }: DoctorFlags): Promise<void> {
  const { loaders, warmUps } = await loadersOf(flags);
  const isProduction = process.env.NODE_ENV === 'production';
  const checks = await withConnections(flags, ({ servers, redis, keys }) => {
    const { cache, queue } = servers;
    return runDoctor({ cache, queue, redis, keys, loaders, warmUps, isProduction });
  });
  const text = json ? JSON.stringify({ checks }) : checkLines(checks).join('\n');
  process.stdout.write(`${text}\n`);
  process.exit(isFine(checks, strict) ? 0 : FAILED);
}

function isFine(checks: readonly Check[], strict = false): boolean {
  return checks.every(({ ok }) => ok === true || (ok === 'warning' && !strict));
}

const MARKS = { true: 'ok  ', warning: 'warn', false: 'FAIL' } as const;
const COLOURS = { true: 'green', warning: 'yellow', false: 'red' } as const;

/** The lines for people: each check with its fix under it, then how many there are of which kind. */
export function checkLines(
  checks: readonly Check[],
  style: ReturnType<typeof styleFor> = styleFor(process.stdout),
): readonly string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, ok, message, fix }) => {
    const kind = `${ok}` as const;
    const line = `${style(COLOURS[kind], MARKS[kind])}  ${name.padEnd(width)}  ${message}`;
    return fix === null ? [line] : [line, `      ${''.padEnd(width)}  fix: ${fix}`];
  });
  const count = (ok: Check['ok']): number => checks.filter((check) => check.ok === ok).length;
  const sum = `${count(true)} fine, ${count('warning')} warnings, ${count(false)} failed`;
  return [...lines, '', sum];
}
