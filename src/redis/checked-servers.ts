import { setTimeout as delay } from 'node:timers/promises';
import type { RedisTargets } from '../config/redis-option.ts';
import type { EverwarmError } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import { onServerChange } from './cluster-connection.ts';
import { type RedisRole, untilReady } from './connection.ts';
import type { RedisClient } from './redis-client.ts';
import { checkServer } from './server-check.ts';

/** How long servers are waited for at the start, before it goes on without them. */
const START_TIMEOUT_MS = 5_000;
/** Longest wait of a process's first calls for their connection, which takes longer than a call. */
const FIRST_CALL_WAIT_MS = 1_000;
const WARN_AGAIN_MS = 3_600_000;

export interface CheckedServer {
  readonly role: RedisRole;
  readonly client: RedisClient;
  /** Part of the start, once the server is there. */
  readonly onReachable?: () => Promise<void>;
}

export interface CheckedServersOptions {
  readonly redis: RedisTargets;
  readonly strict: boolean;
  readonly events: Events;
}

/**
 * Waits for servers at the start, and checks them then, hourly and whenever one may be another: unsuitable
 * ones are warned about, or refused when strict.
 */
export class CheckedServers {
  readonly #servers: readonly CheckedServer[];
  readonly #options: CheckedServersOptions;
  readonly #warnings: NodeJS.Timeout;
  readonly #ready: Promise<void>;
  #isReady = false;
  #isClosed = false;

  constructor(servers: readonly CheckedServer[], options: CheckedServersOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#warnings = setInterval(() => void this.#warn(), WARN_AGAIN_MS).unref();
    this.#ready = this.#start();
    this.#ready.catch(() => undefined); // Whoever awaits ready() sees it.
  }

  /** Whether the start is over, so that nobody need await it. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves once all servers have answered, or their time is up.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE or REDIS_UNSUITABLE when strict
   */
  ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Settles when calls need not wait any longer: all servers have answered, or one has failed or is slow;
   * when strict, as `ready()` does.
   */
  usable(): Promise<unknown> {
    if (this.#options.strict) return this.#ready;
    const failed = this.#servers.map(
      ({ client }) => new Promise<void>((fail) => client.once('error', () => fail())),
    );
    const late = delay(FIRST_CALL_WAIT_MS, undefined, { ref: false });
    return Promise.race([this.#ready, late, ...failed]);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#warnings);
  }

  async #start(): Promise<void> {
    const { strict, redis } = this.#options;
    try {
      await Promise.all(
        this.#servers.map(async ({ role, client, onReachable }) => {
          await untilReady(client, redis[role], START_TIMEOUT_MS);
          await onReachable?.();
        }),
      );
    } catch (error) {
      if (strict) throw error; // Not strict: the connection has reported it and goes on trying.
    }
    const [problem] = await this.#warn();
    if (problem && strict) throw problem;
    this.#isReady = true;
    // A server that was away at the start, or was replaced, has not been looked at.
    for (const { client } of this.#servers) onServerChange(client, () => void this.#warn());
  }

  async #warn(): Promise<EverwarmError[]> {
    const { events } = this.#options;
    const checks = await Promise.all(this.#servers.map((server) => this.#check(server)));
    for (const { role, error } of checks.flat()) {
      events.emit('server:unsuitable', { role, error });
      if (events.listeners('server:unsuitable').size > 0) continue;
      process.emitWarning(error.message, 'EverwarmWarning');
    }
    return checks.flat().map(({ error }) => error);
  }

  async #check({
    role,
    client,
  }: CheckedServer): Promise<{ role: RedisRole; error: EverwarmError }[]> {
    if (this.#isClosed) return [];
    try {
      const problems = await checkServer(client, role, this.#options.redis);
      return problems.map((error) => ({ role, error }));
    } catch {
      return []; // Unreachable: reported by the connection; checked again when it is there.
    }
  }
}
