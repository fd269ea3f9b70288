import type { Clock } from '../core/clock.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import { lifeMs } from '../policy/freshness.ts';
import { onServerChange } from './cluster-connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptClient, scriptClient } from './scripts.ts';

const HEARTBEAT_MS = 15_000;
const READ_TIMEOUT_MS = 250;
const MIN_LIFE_MS = 60_000;
/** Where values have their own ttl nobody knows the longest. */
const VARYING_LIFE_MS = 30 * 86_400_000;

/** A loader, and how long after their load its entries may be read. */
export interface VersionedLoader extends NamedLoader {
  readonly ttlMs: number;
  readonly keptStaleMs: number;
  readonly notFoundTtlMs?: number | null;
  /** Not null: each value has a ttl of its own. */
  readonly ttlOf: unknown;
}

export interface LiveVersionsParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** The loaders of this process; later ones count from the next heartbeat on, or one of their own. */
  readonly loaders: Iterable<VersionedLoader>;
}

/**
 * The versions of each loader that have entries, on the queue server: with each heartbeat every process
 * says of its own until when that holds. So an invalidation reaches them all, also those of a
 * deploy that is over: it may be rolled back.
 */
export class LiveVersions {
  readonly #parts: LiveVersionsParts;
  readonly #scripts: ScriptClient;
  readonly #timer: NodeJS.Timeout;
  /** Loader → version → until when, as last read. */
  readonly #known = new Map<string, ReadonlyMap<number, number>>();
  readonly #reading = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(parts: LiveVersionsParts) {
    this.#parts = parts;
    this.#scripts = scriptClient(parts.redis);
    const beat = (): void => this.beat();
    this.#timer = setInterval(beat, HEARTBEAT_MS).unref();
    onServerChange(parts.redis, beat);
    if (parts.redis.status === 'ready') beat();
  }

  /**
   * Every live version of a loader but `own`: asked while the caller invalidates its own, so that nobody
   * waits for it. What was known last, when the queue server does not answer.
   */
  async others(loader: string, own: number | null): Promise<number[]> {
    await settlesWithin(this.#read(loader), READ_TIMEOUT_MS);
    const nowMs = this.#parts.clock.now();
    const known = [...(this.#known.get(loader) ?? [])];
    return known.filter(([one, untilMs]) => one !== own && untilMs >= nowMs).map(([one]) => one);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#isClosed = true;
  }

  /** Says which versions this process has, by default of every loader, and asks which others there are. */
  beat(loaders: Iterable<VersionedLoader> = this.#parts.loaders): void {
    if (this.#isClosed) return;
    const { clock, keys } = this.#parts;
    for (const loader of loaders) {
      const { name, version } = loader;
      const longestMs = loader.ttlOf === null ? lifeMs(loader) : VARYING_LIFE_MS;
      // An entry may be written until the next heartbeat, or a few later if that fails.
      const untilMs = clock.now() + 2 * HEARTBEAT_MS + Math.max(longestMs, MIN_LIFE_MS);
      const args = [keys.versions(name), clock.now(), Math.ceil(untilMs), version];
      this.#scripts.run('keepUntil', args).catch(() => undefined); // The connection reports it.
      this.#read(name).catch(() => undefined);
    }
  }

  /** Invalidations of one turn share a read: it is sent after each of them began. */
  #read(loader: string): Promise<void> {
    let reading = this.#reading.get(loader);
    if (!reading) {
      reading = this.#readNow(loader);
      this.#reading.set(loader, reading);
      queueMicrotask(() => this.#reading.delete(loader));
    }
    return reading;
  }

  async #readNow(loader: string): Promise<void> {
    const { redis, keys } = this.#parts;
    const replies = await redis.zrange(keys.versions(loader), '0', '-1', 'WITHSCORES');
    const versions = new Map<number, number>();
    for (let at = 0; at + 1 < replies.length; at += 2) {
      const version = Number(replies[at]);
      if (Number.isSafeInteger(version)) versions.set(version, Number(replies[at + 1]));
    }
    this.#known.set(loader, versions);
  }
}
