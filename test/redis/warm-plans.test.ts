import { expect, onTestFinished, test } from 'vitest';
import {
  createScheduler,
  defineLoader,
  defineWarmUp,
  type EventName,
  type Scheduler,
} from '../../src/index.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });

/** `M H * * *` of so many minutes ago, in UTC. */
function minutesAgo(minutes: number): string {
  const time = new Date(Date.now() - minutes * 60_000);
  return `${time.getUTCMinutes()} ${time.getUTCHours()} * * *`;
}

async function open(
  namespace: string,
  warmUps: Parameters<typeof createScheduler>[0]['warmUps'],
): Promise<Scheduler> {
  const scheduler = createScheduler({
    redis: redisUrl(),
    namespace,
    loaders: [item],
    warmUps: warmUps ?? [],
  });
  onTestFinished(() => scheduler.close());
  return scheduler;
}

test('a fire that was missed is made up for once, however many schedulers start', async () => {
  const namespace = uniqueNamespace();
  const plan = defineWarmUp({
    name: 'morning',
    loader: item,
    schedule: minutesAgo(30),
    timezone: 'UTC',
    keys: ['a', 'b'],
    spreadOver: 0,
  });
  const ended: string[] = [];
  const schedulers = await Promise.all(Array.from({ length: 3 }, () => open(namespace, [plan])));
  for (const scheduler of schedulers) {
    for (const name of [
      'warmup:started',
      'warmup:completed',
      'warmup:failed',
      'warmup:skipped',
    ] as EventName[])
      scheduler.on(name, () => void ended.push(name));
  }
  await Promise.all(schedulers.map((s) => s.ready()));
  await expect.poll(() => ended, { timeout: 10_000 }).toContain('warmup:completed');
});
