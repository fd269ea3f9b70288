import { Queue } from 'bullmq';
import { startDashboard } from '../../dashboards/server.ts';
import type { RedisPlace } from './servers.ts';
import type { Teardown } from './teardown.ts';

/** Shows the queue of the demo's loader; answers where. */
export async function openDashboard(
  { redisUrl, namespace }: Pick<RedisPlace, 'redisUrl' | 'namespace'>,
  teardown: Teardown,
): Promise<string> {
  const queue = new Queue('dns', { prefix: `{${namespace}:dns}`, connection: { url: redisUrl } });
  teardown.defer(() => queue.close());
  const dashboard = await startDashboard({ queues: [queue], port: 0 });
  teardown.defer(() => dashboard.close());
  return dashboard.url;
}
