import type { Redis } from 'ioredis';
import { BusListener, type BusListenerParts } from './bus-listener.ts';
import { CheckedServers, type CheckedServersOptions } from './checked-servers.ts';
import { openBusConnection, openDataConnection } from './connection.ts';
import type { RedisClient } from './redis-client.ts';
import { ServerClock } from './server-clock.ts';

export interface RoleServersOptions extends CheckedServersOptions {
  /** The role's name in CLIENT LIST. */
  readonly name: string;
}

/** One role's connections for data, a cache and a queue one, with the clock of the queue server. */
export class RoleServers {
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  readonly clock: ServerClock;
  readonly #options: RoleServersOptions;
  readonly #checked: CheckedServers;

  constructor(options: RoleServersOptions) {
    this.#options = options;
    const { redis, name, events } = options;
    this.cache = openDataConnection(redis.cache, { role: 'cache', name, events });
    this.queue = openDataConnection(redis.queue, { role: 'queue', name, events });
    this.clock = new ServerClock(this.queue);
    this.#checked = new CheckedServers(
      [
        { role: 'cache', client: this.cache },
        { role: 'queue', client: this.queue, onReachable: () => this.clock.measure() },
      ],
      options,
    );
  }

  /** Whether the start is over, so that nobody need await it. */
  get isReady(): boolean {
    return this.#checked.isReady;
  }

  /**
   * Resolves once both servers have answered, or their time is up.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE or REDIS_UNSUITABLE when strict
   */
  ready(): Promise<void> {
    return this.#checked.ready();
  }

  /** Settles when reads need not wait any longer for their connections; when strict, as `ready()` does. */
  readable(): Promise<unknown> {
    return this.#checked.usable();
  }

  /** Listens to a channel of the cache server, on one more connection. */
  listen(parts: Omit<BusListenerParts, 'connect' | 'onRefused'>): BusListener {
    const { redis, name, events } = this.#options;
    const use = { role: 'cache', name: `${name}:bus`, events } as const;
    const connect = (): Redis | null => openBusConnection(redis.cache, use, this.cache);
    const onRefused = (error: unknown): void => {
      events.emit('redis:failed', { role: 'cache', error });
    };
    return new BusListener({ connect, onRefused, ...parts });
  }

  close(): void {
    this.#checked.close();
    this.clock.close();
    this.cache.disconnect();
    this.queue.disconnect();
  }
}
