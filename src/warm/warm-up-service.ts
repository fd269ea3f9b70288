import type { RedisTarget } from '../config/redis-option.ts';
import type { Events } from '../core/events.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import type { Tracing } from '../core/tracing.ts';
import { WarmUpQueue } from '../queue/warm-up-queue.ts';
import { WarmUpWorker } from '../queue/warm-up-worker.ts';
import { openWorkerConnection } from '../redis/connection.ts';
import { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { RoleServers } from '../redis/role-servers.ts';
import { WarmUpRuns } from '../redis/warm-up-runs.ts';
import { HottestKeys } from './hottest-keys.ts';
import { PlanRunner } from './plan-runner.ts';
import { Planner } from './planner.ts';
import { statusOf } from './read-status.ts';
import { WarmRun } from './warm-run.ts';
import type { WarmUp } from './warm-up.ts';
import type { WarmUpStatus } from './warm-up-status.ts';

export interface WarmUpServiceParts {
  readonly plans: ReadonlyMap<string, WarmUp>;
  readonly servers: Pick<RoleServers, 'cache' | 'queue' | 'clock'>;
  readonly target: RedisTarget;
  readonly keys: Keys;
  readonly events: Events;
  readonly tracing: Tracing | null;
}

/** How long runs under way may take to be given back; after that they are taken for dead. */
const CLOSE_MS = 2_000;

/** What a scheduler does for its plans: adds their runs in time, and carries out runs of any scheduler. */
export class WarmUpService {
  readonly #parts: WarmUpServiceParts;
  readonly #queue: WarmUpQueue;
  readonly #runs: WarmUpRuns;
  readonly #planner: Planner;
  readonly #worker: WarmUpWorker;
  readonly #connection: ReturnType<typeof openWorkerConnection>;

  constructor(parts: WarmUpServiceParts) {
    const { plans, servers, keys, events, tracing, target } = parts;
    const { cache, queue, clock } = servers;
    this.#parts = parts;
    this.#queue = new WarmUpQueue(queue, keys, tracing);
    this.#runs = new WarmUpRuns(queue, keys);
    this.#planner = new Planner({
      plans: [...plans.values()],
      queue: this.#queue,
      runs: this.#runs,
      clock,
    });
    const runner = new PlanRunner({
      plans,
      runs: this.#runs,
      warmRun: new WarmRun({ keys, store: new EntryStore(cache), queue, clock, events, tracing }),
      hottest: (plan) => new HottestKeys({ redis: queue, keys, clock }, plan),
      clock,
      events,
    });
    this.#connection = openWorkerConnection(target, { role: 'queue', name: 'warm-ups', events });
    this.#worker = new WarmUpWorker({
      connection: this.#connection,
      keys,
      events,
      tracing,
      run: (taken) => runner.run(taken),
    });
  }

  /** Adds the runs whose time has come; answers when to look next. */
  tick(): Promise<number | null> {
    return this.#planner.tick();
  }

  /** Rejects when Redis does not answer. */
  async status(): Promise<WarmUpStatus[]> {
    const { plans, servers } = this.#parts;
    const unfinished = await this.#queue.unfinished();
    const nowMs = servers.clock.now();
    const parts = { runs: this.#runs, unfinished, nowMs };
    return Promise.all([...plans.values()].map((plan) => statusOf(plan, parts)));
  }

  async close(): Promise<void> {
    if (!(await settlesWithin(this.#worker.close(), CLOSE_MS))) {
      await settlesWithin(this.#worker.closeNow(), CLOSE_MS);
    }
    await this.#queue.close();
    this.#connection.disconnect();
  }
}
