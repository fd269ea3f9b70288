import { say } from './log.ts';

/**
 * Waits for SIGTERM or SIGINT, closes, and exits with `process.exitCode`, 0 if unset: an application's
 * pools must not keep a worker alive that has nothing left to do. A second signal exits at once with 1.
 */
export async function untilSignal(role: string, close: () => Promise<void>): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
  });
  say(role, `${signal}: closing`);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => process.exit(1));
  await close();
  say(role, 'closed');
  process.exit();
}
