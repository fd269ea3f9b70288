import { InvalidationBus } from './bus/invalidation-bus.ts';
import { Wakes } from './bus/wakes.ts';
import type { Cache } from './cache.ts';
import { type CacheOptions, resolveCache } from './config/options.ts';
import { Events } from './core/events.ts';
import { Invalidator } from './invalidate/invalidator.ts';
import { PlaceInvalidator } from './invalidate/place-invalidator.ts';
import { EntryTags } from './load/entry-tags.ts';
import { FencedLoad } from './load/fenced-load.ts';
import { LoadCounts } from './load/load-counts.ts';
import { Permits } from './load/permits.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { readMetrics } from './metrics/read-metrics.ts';
import { RoleMetrics } from './metrics/role-metrics.ts';
import { Explainer } from './observe/explainer.ts';
import { RefreshControl } from './observe/refresh-control.ts';
import type { Answer } from './read/answer.ts';
import { LateRefreshes } from './read/late-refreshes.ts';
import { LocalDrops } from './read/local-drops.ts';
import { LocalLoaders } from './read/local-loaders.ts';
import { MissLoader } from './read/miss-loader.ts';
import { Reader } from './read/reader.ts';
import { SingleFlight } from './read/single-flight.ts';
import { Writer } from './read/writer.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import { Breakers } from './redis/breakers.ts';
import { onServerChange } from './redis/cluster-connection.ts';
import type { RedisRole } from './redis/connection.ts';
import { EntryReads } from './redis/entry-reads.ts';
import { EntryStore } from './redis/entry-store.ts';
import { Keys } from './redis/keys.ts';
import { LiveVersions } from './redis/live-versions.ts';
import { nodeOf } from './redis/redis-client.ts';
import { RoleServers } from './redis/role-servers.ts';
import { scriptClient } from './redis/scripts.ts';
import { TagIndex } from './redis/tag-index.ts';
import { WarmStart } from './warm/warm-start.ts';
import { Warmer } from './warm/warmer.ts';

/**
 * Opens a cache that reads through its loaders and keeps count of what is hot. Connects at once, in the
 * background; does not keep waiting readers when Redis is away.
 *
 * @example
 * ```ts
 * const cache = createCache({ redis: 'redis://localhost:6379', loaders: [product] });
 * const value = await cache.get(product, 'sku-42');
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createCache(options: CacheOptions & Partial<WithLoaders>): Cache {
  const settings = resolveCache(options);
  const registry = new LoaderRegistry(options.loaders ?? [], { least: 0 });
  const { lockTtlMs, readTimeoutMs, onInvalidate } = settings;
  const events = new Events();
  const metrics = RoleMetrics.open(settings.metrics, 'cache', events);
  const servers = new RoleServers({ ...settings, name: 'cache', events });
  const keys = new Keys(settings.namespace);
  const { cache, queue, clock } = servers;

  const breakers = breakersOf(servers, 'cache', events);
  const loads = new LoadCounts();
  const local = new LocalLoaders({
    ...settings,
    queue,
    breakers: breakersOf(servers, 'queue', events),
    keys,
    clock,
    events,
    countsOf: readMetrics(metrics),
    loads,
  });
  const flights = new SingleFlight<Answer>();
  const wakes = new Wakes();
  const drops = new LocalDrops({ keys, flights, wakes, loaders: local.byName });
  const bus = new InvalidationBus({
    publisher: cache,
    listen: (to) => servers.listen(to),
    channel: keys.bus(),
    onDrop: (what) => drops.drop(what),
    onWake: (entryKey) => wakes.wake(entryKey),
    onGap: () => drops.dropAll(),
  });

  const index = new TagIndex(queue, keys, clock);
  const tags = new EntryTags(index, clock);
  const permits = new Permits({ scripts: scriptClient(queue), keys, clock, events });
  const store = new EntryStore(cache, { acquireTimeoutMs: readTimeoutMs, breakers });
  const commitWaitMs = readTimeoutMs;
  const spans = metrics?.tracing ?? null;
  const loading = { store, clock, events, permits, tags, counts: loads, spans };
  const fenced = new FencedLoad({ ...loading, lockTtlMs, commitWaitMs });
  const waiting = { wakes, readTimeoutMs, random: Math.random };
  const misses = new MissLoader({ fenced, clock, events, ...waiting });
  const reads = new EntryReads(cache, { timeoutMs: readTimeoutMs, breakers });
  const lateRefreshes = new LateRefreshes(fenced);
  const reader = new Reader({ reads, flights, misses, lateRefreshes, clock, events });

  const warmer = new Warmer({ fenced, keys, clock, events, store });
  const warmStart = new WarmStart({
    hottest: settings.warmOnStart,
    loaders: registry,
    queue,
    keys,
    clock,
    ready: () => servers.ready(),
    warm: (loader, params) => {
      const onDone = (key: string): void => void local.get(loader)?.tier?.drop(key);
      return warmer.warm(loader, params, { onDone });
    },
  });

  const places = new PlaceInvalidator(store, clock);
  const writer = new Writer({ store, places, tags, local: drops, announcer: bus, clock });
  const versions = new LiveVersions({ redis: queue, keys, clock, loaders: registry });
  const invalidator = new Invalidator({
    cache,
    keys,
    clock,
    events,
    loaders: local.byName,
    places,
    tags: index,
    versions,
    local: drops,
    announcer: bus,
    onInvalidate,
  });
  onServerChange(cache, () => void invalidator.repeatRecent());

  const explainer = new Explainer({ cache, queue, keys, clock });
  const control = new RefreshControl({ queue, keys, clock });
  const observing = { explainer, control, metrics };
  const warming = { warmer, warmStart };
  const parts = { settings, registry, events, servers, keys, local, fenced, ...observing };
  return new ReadThroughCache({
    ...parts,
    ...warming,
    bus,
    reader,
    writer,
    versions,
    invalidator,
  });
}

/** The breakers of one role, by node; a node that is back is tried soon. */
function breakersOf(servers: RoleServers, role: RedisRole, events: Events): Breakers {
  const client = servers[role];
  const breakers = new Breakers({ role, events, nodeOf: (key) => nodeOf(client, key) });
  onServerChange(client, () => breakers.probeSoon());
  return breakers;
}
