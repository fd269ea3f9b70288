import { startDashboard } from '../../dashboards/server.ts';
import { dnsLoader } from './dns-loader.ts';
import type { Settings } from './settings.ts';
import type { Teardown } from './teardown.ts';

/** Shows the demo's loader; answers where. */
export async function openDashboard(settings: Settings, teardown: Teardown): Promise<string> {
  const { redisUrl: redis, namespace } = settings;
  const loaders = [dnsLoader(settings)];
  const dashboard = await startDashboard({ redis, namespace, loaders, port: 0 });
  teardown.defer(() => dashboard.close());
  return dashboard.url;
}
