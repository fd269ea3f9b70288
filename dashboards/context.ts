import type { Cache } from '../src/cache.ts';
import type { Events } from '../src/core/events.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import type { RoleMetrics } from '../src/metrics/role-metrics.ts';
import type { Explainer } from '../src/observe/explainer.ts';
import type { RefreshControl } from '../src/observe/refresh-control.ts';
import type { RefreshQueue } from '../src/queue/refresh-queue.ts';
import type { WarmUpQueue } from '../src/queue/warm-up-queue.ts';
import type { Keys } from '../src/redis/keys.ts';
import type { RoleServers } from '../src/redis/role-servers.ts';
import type { WarmUpRuns } from '../src/redis/warm-up-runs.ts';
import type { WarmUp } from '../src/warm/warm-up.ts';
import type { KeyNames } from './key-names.ts';
import type { DashboardSettings } from './options.ts';

/** What pages and actions are made from. */
export interface DashboardContext {
  readonly settings: DashboardSettings;
  /** Null: nothing is published. */
  readonly metrics: RoleMetrics | null;
  readonly loaders: ReadonlyMap<string, AnyLoader>;
  /** Opened once for each loader: a queue listens to its connection as long as that lives. */
  readonly queueOf: (loader: AnyLoader) => RefreshQueue;
  readonly warmUps: readonly WarmUp[];
  /** Of its own connections. */
  readonly events: Events;
  readonly servers: RoleServers;
  readonly keys: Keys;
  readonly names: KeyNames;
  /** For invalidations alone: it loads and counts nothing. */
  readonly cache: Cache;
  readonly explainer: Explainer;
  readonly control: RefreshControl;
  readonly warmUpQueue: WarmUpQueue;
  readonly runs: WarmUpRuns;
}
