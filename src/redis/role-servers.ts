import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisTargets } from '../config/redis-option.ts';
import type { EverwarmError } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import { BusListener, type BusListenerParts } from './bus-listener.ts';
import { onServerChange } from './cluster-connection.ts';
import { openBusConnection, openDataConnection, type RedisRole, untilReady } from './connection.ts';
import type { RedisClient } from './redis-client.ts';
import { checkServer } from './server-check.ts';
import { ServerClock } from './server-clock.ts';

/** How long a role waits for its servers before it goes on without them. */
const START_TIMEOUT_MS = 5_000;
/** Longest wait of a process's first reads for their connection, which takes longer than a read. */
const FIRST_READ_WAIT_MS = 1_000;
const WARN_AGAIN_MS = 3_600_000;

export interface RoleServersOptions {
  readonly redis: RedisTargets;
  readonly strict: boolean;
  /** The role's name in CLIENT LIST. */
  readonly name: string;
  readonly events: Events;
}

/**
 * One role's connections for data, a cache and a queue one, with the clock of the queue server and the
 * check of both servers at start: unsuitable ones are warned about hourly, or refused when strict.
 */
export class RoleServers {
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  readonly clock: ServerClock;
  readonly #options: RoleServersOptions;
  readonly #warnings: NodeJS.Timeout;
  readonly #ready: Promise<void>;
  #isReady = false;
  #isClosed = false;

  constructor(options: RoleServersOptions) {
    this.#options = options;
    const { redis, name, events } = options;
    this.cache = openDataConnection(redis.cache, { role: 'cache', name, events });
    this.queue = openDataConnection(redis.queue, { role: 'queue', name, events });
    this.clock = new ServerClock(this.queue);
    this.#warnings = setInterval(() => void this.#warn(), WARN_AGAIN_MS).unref();
    this.#ready = this.#start();
    this.#ready.catch(() => undefined); // Whoever awaits ready() sees it.
  }

  /** Whether the start is over, so that nobody need await it. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves once both servers have answered, or their time is up.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE or REDIS_UNSUITABLE when strict
   */
  ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Settles when reads need not wait any longer: both servers have answered, or one has failed or is slow;
   * when strict, as `ready()` does.
   */
  readable(): Promise<unknown> {
    if (this.#options.strict) return this.#ready;
    const failed = [this.cache, this.queue].map(
      (redis) => new Promise<void>((fail) => redis.once('error', () => fail())),
    );
    const late = delay(FIRST_READ_WAIT_MS, undefined, { ref: false });
    return Promise.race([this.#ready, late, ...failed]);
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
    this.#isClosed = true;
    clearInterval(this.#warnings);
    this.clock.close();
    this.cache.disconnect();
    this.queue.disconnect();
  }

  async #start(): Promise<void> {
    const { strict, redis } = this.#options;
    try {
      await Promise.all([
        untilReady(this.cache, redis.cache, START_TIMEOUT_MS),
        untilReady(this.queue, redis.queue, START_TIMEOUT_MS).then(() => this.clock.measure()),
      ]);
    } catch (error) {
      if (strict) throw error; // Not strict: the connection has reported it and goes on trying.
    }
    const [problem] = await this.#warn();
    if (problem && strict) throw problem;
    this.#isReady = true;
    // A server that was away at the start, or was replaced, has not been looked at.
    for (const connection of [this.cache, this.queue])
      onServerChange(connection, () => void this.#warn());
  }

  async #warn(): Promise<EverwarmError[]> {
    const checks = await Promise.all([this.#check('cache'), this.#check('queue')]);
    for (const { role, error } of checks.flat()) {
      this.#options.events.emit('server:unsuitable', { role, error });
      if (this.#options.events.listeners('server:unsuitable').size > 0) continue;
      process.emitWarning(error.message, 'EverwarmWarning');
    }
    return checks.flat().map(({ error }) => error);
  }

  async #check(role: RedisRole): Promise<{ role: RedisRole; error: EverwarmError }[]> {
    if (this.#isClosed) return [];
    try {
      const problems = await checkServer(this[role], role, this.#options.redis);
      return problems.map((error) => ({ role, error }));
    } catch {
      return []; // Unreachable: reported by the connection; checked again when it is there.
    }
  }
}
