import { type ListeningDashboard, startDashboard } from '../../dashboards/server.ts';
import type { LoadersFile } from '../../workers/load-loaders.ts';
import { openLog } from '../../workers/log.ts';
import { logEvents } from '../../workers/log-events.ts';
import { openMetrics } from '../../workers/metrics-server.ts';
import { Ops } from '../../workers/ops.ts';
import { loadersOf, type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { runUntilSignal } from '../../workers/shutdown.ts';
import type { WithMetrics } from '../config/metrics-option.ts';
import type { RoleOptions } from '../config/options.ts';

export type DashboardFlags = RoleFlags & {
  readonly host?: string;
  readonly port: number;
  readonly allowedHost?: readonly string[];
  readonly auth?: readonly string[];
  readonly readOnly?: boolean;
  readonly hideValues?: boolean;
  readonly hideKeys?: boolean;
};

/** Serves the dashboard until SIGTERM or SIGINT. */
export async function runDashboard(flags: DashboardFlags): Promise<void> {
  const log = await openLog('dashboard', flags);
  const file = await loadersOf(flags);
  const metrics = await openMetrics(flags);
  const options = { ...roleOptions(flags), ...metrics.options };
  let dashboard: ListeningDashboard | null = null;
  let ops: Ops | null = null;
  const close = async (): Promise<void> => {
    await dashboard?.close().finally(() => ops?.close());
    await metrics.close();
  };
  const onSignal = (): void => ops?.leave();
  const { handlers, url } = metrics;
  await runUntilSignal('dashboard', { log, onSignal, close }, async () => {
    dashboard = await openDashboard(file, options, flags);
    logEvents(log, dashboard);
    const { health } = dashboard;
    ops = await Ops.open({ flags, log, health, handlers });
    if (url) log.info({ event: 'metrics:served', url }, `metrics ${url}`);
    log.info({ event: 'role:ready', url: dashboard.url }, `dashboard ${dashboard.url}`);
  });
}

/** The dashboard over every loader and warm-up of a file. */
export function openDashboard(
  { loaders, warmUps }: LoadersFile,
  options: RoleOptions & WithMetrics,
  flags: Partial<DashboardFlags> & { readonly port: number },
): Promise<ListeningDashboard> {
  const { host, port, allowedHost, readOnly, hideValues, hideKeys } = flags;
  const auth = flags.auth ?? authFromEnvironment();
  return startDashboard({
    ...options,
    loaders,
    warmUps,
    port,
    ...(host && { host }),
    ...(allowedHost && { allowedHosts: allowedHost }),
    ...(auth && { auth }),
    ...(readOnly && { readOnly }),
    ...(hideValues && { hideValues }),
    ...(hideKeys && { hideKeys }),
  });
}

/** Arguments stand in the list of processes, where others may read a token. */
function authFromEnvironment(): readonly string[] | undefined {
  const entries = process.env.EVERWARM_DASHBOARD_AUTH?.split(/\s+/).filter(Boolean);
  return entries && entries.length > 0 ? entries : undefined;
}
