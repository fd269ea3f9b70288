import { settlesWithin } from '../src/core/lifecycle.ts';
import { printSpan } from '../src/core/print-span.ts';
import type { Log } from './log.ts';

export interface ShutdownOptions {
  readonly log: Log;
  readonly close: () => Promise<void>;
  /** A close that takes longer is given up, and the exit code is 1. */
  readonly deadlineMs?: number;
  /** Called at the signal, before anything is closed. */
  readonly onSignal?: () => void;
}

const DEADLINE_MS = 15_000;

/**
 * Waits for SIGTERM or SIGINT, closes, and exits with `process.exitCode`, 0 if unset: an application's
 * pools must not keep a worker alive that has nothing left to do. A second signal exits at once with 1.
 */
async function untilSignal(role: string, options: ShutdownOptions): Promise<void> {
  const { log, close, deadlineMs = DEADLINE_MS, onSignal } = options;
  const signal = await firstSignal();
  onSignal?.();
  log.info({ event: 'role:closing', signal }, `${signal}: closing`);
  const closed = close();
  if (!(await settlesWithin(closed, deadlineMs))) {
    const text = `the ${role} is not closed after ${printSpan(deadlineMs)}: it is left as it is`;
    log.error({ event: 'role:abandoned' }, text);
    process.exit(1);
  }
  await closed;
  log.info({ event: 'role:closed' }, `${role} closed`);
  process.exit();
}

/** Starts a role, and runs it until a signal, which may come while it starts. What fails to start is closed. */
export async function runUntilSignal(
  role: string,
  options: ShutdownOptions,
  start: () => Promise<void>,
): Promise<void> {
  let isSignalled = false;
  const onSignal = (): void => {
    isSignalled = true;
    options.onSignal?.();
  };
  const ended = untilSignal(role, { ...options, onSignal });
  try {
    await start();
  } catch (error) {
    if (isSignalled) return ended; // What it was starting was closed under it.
    await options.close();
    throw error;
  }
  await ended;
}

/** There is a listener at every moment: without one a second signal would end the process by itself, without a code. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    const heed = (signal: NodeJS.Signals): void => {
      if (!isFirst) process.exit(1);
      isFirst = false;
      resolve(signal);
    };
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, heed);
  });
}
