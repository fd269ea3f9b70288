import { type Dashboard, startDashboard } from '../../dashboards/server.ts';
import type { LoadersFile } from '../../workers/load-loaders.ts';
import { openLog } from '../../workers/log.ts';
import { Ops } from '../../workers/ops.ts';
import { loadersOf, type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { untilSignal } from '../../workers/shutdown.ts';
import { resolveScheduler, type SchedulerOptions } from '../config/options.ts';
import { Events } from '../core/events.ts';
import { type Health, healthOf } from '../core/health.ts';
import { openQueue } from '../queue/refresh-queue.ts';
import { openWarmUpQueue } from '../queue/warm-up-queue.ts';
import { openDataConnection, untilReady } from '../redis/connection.ts';
import { Keys } from '../redis/keys.ts';
import { silence } from '../redis/server-answers.ts';

const FIRST_WAIT_MS = 2_000;

export type DashboardFlags = RoleFlags & {
  readonly host?: string;
  readonly port: number;
  readonly allowedHost?: readonly string[];
};

/** A dashboard that says whether its Redis answers. */
type WatchedDashboard = Dashboard & { health(): Promise<Health> };

/** Serves the dashboard until SIGTERM or SIGINT. */
export async function runDashboard(flags: DashboardFlags): Promise<void> {
  const log = await openLog('dashboard', flags);
  const file = await loadersOf(flags);
  const dashboard = await openDashboard(file, roleOptions(flags), flags);
  const health = (): Promise<Health> => dashboard.health();
  const ops = await Ops.open({ flags, log, health }).catch(async (error: unknown) => {
    await dashboard.close();
    throw error;
  });
  log.info({ event: 'role:ready', url: dashboard.url }, `dashboard ${dashboard.url}`);
  await untilSignal('dashboard', {
    log,
    onSignal: () => ops.leave(),
    close: () => dashboard.close().finally(() => ops.close()),
  });
}

/** The dashboard over every loader's queue and that of warm-ups, if there are any, with a connection of its own that `close()` closes. */
export async function openDashboard(
  { loaders, warmUps }: LoadersFile,
  options: SchedulerOptions,
  { host, port, allowedHost }: Pick<DashboardFlags, 'host' | 'port' | 'allowedHost'>,
): Promise<WatchedDashboard> {
  const settings = resolveScheduler(options);
  const keys = new Keys(settings.namespace);
  const use = { role: 'queue', name: 'dashboard', events: new Events() } as const;
  const connection = openDataConnection(settings.redis.queue, use);
  // Not yet, or not at all: the pages say so themselves.
  await untilReady(connection, settings.redis.queue, FIRST_WAIT_MS).catch(() => undefined);
  try {
    const dashboard = await startDashboard({
      queues: [
        ...loaders.map((loader) => openQueue(connection, keys, loader)),
        ...(warmUps.length > 0 ? [openWarmUpQueue(connection, keys)] : []),
      ],
      port,
      ...(host && { host }),
      ...(allowedHost && { allowedHosts: allowedHost }),
    });
    const close = (): Promise<void> => dashboard.close().finally(() => connection.disconnect());
    const health = async (): Promise<Health> => healthOf([await silence(connection, 'queue')]);
    return { url: dashboard.url, close, health };
  } catch (error) {
    connection.disconnect();
    throw error;
  }
}
