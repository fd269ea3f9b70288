import type { InvalidationBus } from './bus/invalidation-bus.ts';
import type { CacheSettings } from './config/options.ts';
import type { Events } from './core/events.ts';
import type { Invalidator } from './invalidate/invalidator.ts';
import type { FencedLoad } from './load/fenced-load.ts';
import type { LoaderRegistry } from './loaders/registry.ts';
import type { RoleMetrics } from './metrics/role-metrics.ts';
import type { Explainer } from './observe/explainer.ts';
import type { RefreshControl } from './observe/refresh-control.ts';
import type { LocalLoaders } from './read/local-loaders.ts';
import type { Reader } from './read/reader.ts';
import type { Writer } from './read/writer.ts';
import type { Keys } from './redis/keys.ts';
import type { LiveVersions } from './redis/live-versions.ts';
import type { RoleServers } from './redis/role-servers.ts';
import type { WarmStart } from './warm/warm-start.ts';
import type { Warmer } from './warm/warmer.ts';

/** What a cache is made of. */
export interface CacheParts {
  readonly settings: CacheSettings;
  readonly registry: LoaderRegistry;
  readonly events: Events;
  readonly servers: RoleServers;
  readonly keys: Keys;
  readonly local: LocalLoaders;
  readonly fenced: FencedLoad;
  readonly bus: InvalidationBus;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly warmer: Warmer;
  readonly warmStart: WarmStart;
  readonly versions: LiveVersions;
  readonly invalidator: Invalidator;
  readonly explainer: Explainer;
  readonly control: RefreshControl;
  readonly metrics: RoleMetrics | null;
}
