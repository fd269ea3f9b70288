import { onTestFinished } from 'vitest';
import {
  createScheduler,
  createWorker,
  defineLoader,
  defineWarmUp,
  type EventMap,
  type Loader,
  type RedisOption,
  type Scheduler,
  type WarmUp,
  type WarmUpDefinition,
} from '../../src/index.ts';
import { WarmUpQueue } from '../../src/queue/warm-up-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { newRunId } from '../../src/warm/run-id.ts';
import { connect, redisUrl, uniqueNamespace } from './redis.ts';

/** For what takes a fleet a moment. */
export const PATIENCE = { timeout: 12_000 };

/** `M H * * *` of so many minutes ago, in UTC. */
export function minutesAgo(minutes: number): string {
  const time = new Date(Date.now() - minutes * 60_000);
  return `${time.getUTCMinutes()} ${time.getUTCHours()} * * *`;
}

/** A fleet in a namespace of its own: a loader that counts its loads, a worker, and schedulers. */
export class Fleet {
  readonly namespace = uniqueNamespace();
  readonly loads = new Map<string, number>();
  readonly item = defineLoader({
    name: 'item',
    ttl: '1h',
    load: async (id: string) => {
      this.loads.set(id, (this.loads.get(id) ?? 0) + 1);
      return id;
    },
  });
  readonly events: { [N in keyof EventMap]?: EventMap[N][] } = {};
  readonly #role: { redis: RedisOption; namespace: string; loaders: Loader<string, string>[] };

  /** On the shared server, unless told otherwise. */
  constructor(redis: RedisOption = redisUrl()) {
    this.#role = { redis, namespace: this.namespace, loaders: [this.item] };
  }

  plan(changed: Partial<WarmUpDefinition<string>> = {}): WarmUp {
    return defineWarmUp({
      name: 'morning',
      loader: this.item,
      schedule: minutesAgo(1),
      timezone: 'UTC',
      keys: ['a', 'b', 'c'],
      spreadOver: 0,
      ...changed,
    });
  }

  async worker(): Promise<void> {
    const worker = createWorker(this.#role);
    onTestFinished(() => worker.close());
    await worker.ready();
  }

  async scheduler(...warmUps: WarmUp[]): Promise<Scheduler> {
    const scheduler = createScheduler({ ...this.#role, warmUps });
    onTestFinished(() => scheduler.close());
    const names = ['started', 'completed', 'skipped', 'failed', 'refused'] as const;
    for (const name of names.map((one) => `warmup:${one}` as const)) {
      scheduler.on(name, (event) => {
        const events = (this.events[name] ?? []) as unknown[];
        this.events[name] = [...events, event] as never;
      });
    }
    await scheduler.ready();
    return scheduler;
  }

  /** Wants a run now, as `everwarm warm` does. */
  async want(plan: WarmUp): Promise<string> {
    const queue = new WarmUpQueue(connect(), new Keys(this.namespace));
    onTestFinished(() => queue.close());
    const runId = newRunId(plan.name);
    const startAtMs = Date.now();
    await queue.add(runId, { plan: plan.name, startAtMs, peakAtMs: null, by: 'hand' });
    return runId;
  }
}
