import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import {
  type Cache,
  createCache,
  type EventMap,
  type EventName,
  type Loader,
} from '../../src/index.ts';
import { encodeKey } from '../../src/loaders/key-codec.ts';
import { encodeValue } from '../../src/redis/codec.ts';
import { type EntryHeader, encodeEntry } from '../../src/redis/entry.ts';
import { Keys } from '../../src/redis/keys.ts';
import { redisUrl, uniqueNamespace } from './redis.ts';

type Options = Parameters<typeof createCache>[0];

/** A cache on the shared server in a namespace of its own, unless told otherwise; closed with the test. */
export async function openCache(options: Options): Promise<Cache> {
  const cache = createCache({ redis: redisUrl(), namespace: uniqueNamespace(), ...options });
  onTestFinished(() => cache.close());
  await cache.ready();
  return cache;
}

/** A server for one test that stops, wipes or measures it. */
export async function ownServer(...args: readonly string[]): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis({ args });
  onTestFinished(() => server.close());
  return server;
}

/** A promise that a test settles when it is time. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

interface Emitter {
  on<N extends EventName>(name: N, listener: (event: EventMap[N]) => void): () => void;
}

/** The next event of that name: take it before the act that causes it. */
export function nextEvent<N extends EventName>(
  source: Emitter,
  name: N,
  isMeant: (event: EventMap[N]) => boolean = () => true,
): Promise<EventMap[N]> {
  return new Promise((resolve) => {
    const stop = source.on(name, (event) => {
      if (!isMeant(event)) return;
      stop();
      resolve(event);
    });
  });
}

/** Every event of that name from now on. */
export function recorded<N extends EventName>(source: Emitter, name: N): EventMap[N][] {
  const events: EventMap[N][] = [];
  source.on(name, (event) => void events.push(event));
  return events;
}

type AnyDefinition = Pick<Loader<never, unknown>, 'name' | 'version' | 'ttlMs' | 'staleIfErrorMs'>;

/** The Redis key of an entry. */
export function entryKey(namespace: string, loader: AnyDefinition, params: unknown): string {
  return new Keys(namespace).entry(loader, encodeKey(params));
}

/** An entry's bytes: by default just loaded, in 10 ms, by a reader. */
export function entryBytes(value: unknown, header: Partial<EntryHeader> = {}): Buffer {
  const nowMs = Date.now();
  return encodeEntry(
    {
      createdAtMs: nowMs,
      expiresAtMs: nowMs + 60_000,
      load: { meanMs: 10, deviationMs: 1 },
      logHeat: Number.NaN,
      unreadLives: 0,
      invalidated: false,
      notFound: false,
      ...header,
    },
    encodeValue(value),
  );
}

/** How often each command ran, script calls and their inner commands included. */
export async function commandCalls(redis: Redis): Promise<Record<string, number>> {
  const stats = await redis.info('commandstats');
  const lines = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return Object.fromEntries(lines.map(([, name, calls]) => [String(name), Number(calls)]));
}
