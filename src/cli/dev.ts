import { spawn } from 'node:child_process';
import { type Log, logOf, openLog } from '../../workers/log.ts';
import { logEvents } from '../../workers/log-events.ts';
import { environmentOf, loadersOf, type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { runUntilSignal } from '../../workers/shutdown.ts';
import { createScheduler } from '../create-scheduler.ts';
import { createWorker } from '../create-worker.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../dev/embedded-redis.ts';
import { openDashboard } from './dashboard.ts';

export type DevFlags = RoleFlags & { readonly port: number; readonly dashboardPort: number };

/** A program that has not ended by then, after SIGTERM, is killed. */
const PROGRAM_GRACE_MS = 5_000;

/** Closes what was opened, the last first. */
type Closers = (() => Promise<unknown> | unknown)[];

/** Runs every role in this process, on a Redis of its own unless one is named. */
export async function runDev(flags: DevFlags, command: readonly string[]): Promise<void> {
  // Its reader sits in front of it, also when its output goes through another program.
  const log = await openLog('dev', { ...flags, logFormat: flags.logFormat ?? 'pretty' });
  const closers: Closers = [];
  const close = async (): Promise<void> => {
    for (const one of closers.toReversed()) await one();
  };
  await runUntilSignal('dev', { log, close }, async () => {
    const redis = flags.redis ?? (await startRedis(flags.port, { log, closers })).url;
    const file = await loadersOf({ ...flags, redis });
    const { loaders, warmUps } = file;
    const options = { ...roleOptions({ ...flags, redis }), loaders };
    const worker = createWorker(options);
    closers.push(() => worker.close());
    const scheduler = createScheduler({ ...options, warmUps });
    closers.push(() => scheduler.close());
    logEvents(logOf(log, 'worker'), worker);
    logEvents(logOf(log, 'scheduler'), scheduler);
    await Promise.all([worker.ready(), scheduler.ready()]);

    const dashboard = await openDashboard(file, options, { port: flags.dashboardPort });
    closers.push(() => dashboard.close());
    log.info(`dashboard ${dashboard.url}`);
    log.info(`ready: REDIS_URL=${redis}, loaders: ${loaders.map(({ name }) => name).join(', ')}`);
    if (command.length > 0)
      closers.push(startProgram(command, environmentOf({ ...flags, redis }), log));
  });
}

async function startRedis(
  port: number,
  { log, closers }: { readonly log: Log; readonly closers: Closers },
): Promise<EmbeddedRedis> {
  const tell = (line: string): void => log.info(line);
  const redis = await startEmbeddedRedis({ ...(port > 0 && { port }), say: tell });
  closers.push(() => redis.close());
  return redis;
}

/** Runs the user's program beside the roles: when it ends, so do they, with its exit code. */
function startProgram(
  [file = '', ...args]: readonly string[],
  own: NodeJS.ProcessEnv,
  log: Log,
): () => Promise<void> {
  const env = { ...process.env, ...own };
  const child = spawn(file, args, { stdio: 'inherit', env });
  child.once('error', (error) => log.error(`cannot run ${file}: ${error.message}`));
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code) => {
      resolve();
      if (isStopping) return;
      // By a signal, or never started: a failure as well.
      process.exitCode = code !== null && code >= 0 ? code : 1;
      process.kill(process.pid, 'SIGTERM');
    });
  });
  return async () => {
    isStopping = true;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), PROGRAM_GRACE_MS);
    await ended;
    clearTimeout(kill);
  };
}
