import type { Events } from '../core/events.ts';
import type { UnderWay } from '../core/under-way.ts';
import type { Keys } from '../redis/keys.ts';
import type { RoleServers } from '../redis/role-servers.ts';
import { type Answer, fresh } from './answer.ts';
import type { LocalLoader } from './local-loaders.ts';
import type { Held } from './memory-tier.ts';
import type { ReadRef } from './read-ref.ts';
import type { Reader } from './reader.ts';

export interface TieredReaderParts {
  readonly reader: Reader;
  readonly servers: RoleServers;
  readonly keys: Keys;
  readonly events: Events;
  readonly underWay: UnderWay;
}

/** Reads in this process's own copies first, then through Redis, once that has answered. */
export class TieredReader {
  readonly #parts: TieredReaderParts;
  readonly #hitListeners: ReadonlySet<unknown>;
  readonly #readable: Promise<unknown>;

  constructor(parts: TieredReaderParts) {
    this.#parts = parts;
    this.#hitListeners = parts.events.listeners('entry:hit');
    this.#readable = parts.servers.readable();
    this.#readable.catch(() => undefined); // Refused: every call sees it.
  }

  /** The copy this process holds, counted as a read; null: there is none. */
  recall({ loader, tier, recorder, counts }: LocalLoader, key: string): Held | null {
    if (tier === null) return null;
    const held = tier.get(key);
    if (held === null) return null;
    recorder?.countCopy(key, held);
    if (counts !== null) counts.memory++;
    if (this.#hitListeners.size > 0) {
      this.#parts.events.emit('entry:hit', { loader: loader.name, key, source: 'memory' });
    }
    return held;
  }

  /** The value of a key that has no copy here. */
  async read(local: LocalLoader, key: string): Promise<Answer> {
    const { counts } = local;
    const startedAtMs = counts === null ? 0 : counts.begin();
    try {
      // Not a turn later: close() waits only for what is under way.
      if (!this.#parts.servers.isReady) await this.#readable;
      const reading = this.#parts.reader.read(this.ref(local, key));
      const answer = await this.#parts.underWay.run(reading);
      if (counts !== null) counts.end(answer, startedAtMs);
      return answer;
    } catch (error) {
      if (counts !== null) counts.failed++;
      throw error;
    }
  }

  async answer(local: LocalLoader, key: string): Promise<Answer> {
    const held = this.recall(local, key);
    if (held === null) return this.read(local, key);
    return fresh(local.tier?.valueOf(held), 'memory', held);
  }

  /** Values in the order of the keys; throws the first error of one. */
  async readMany(local: LocalLoader, keys: readonly string[]): Promise<unknown[]> {
    const values = new Map<string, unknown>();
    // The same key twice is one read with two answers.
    const refs = new Map<string, ReadRef>();
    for (const key of keys) {
      const held = this.recall(local, key);
      if (held !== null) values.set(key, local.tier?.valueOf(held));
      else if (!refs.has(key)) refs.set(key, this.ref(local, key));
    }
    if (refs.size > 0) await this.#fetch(local, refs, values);
    return keys.map((key) => values.get(key));
  }

  ref({ loader, tier, recorder }: LocalLoader, key: string): ReadRef {
    const { keys } = this.#parts;
    const entryKey = keys.entry(loader, key);
    return { loader, key, entryKey, lockKey: keys.lock(entryKey), tier, recorder };
  }

  async #fetch(
    { counts }: LocalLoader,
    refs: ReadonlyMap<string, ReadRef>,
    values: Map<string, unknown>,
  ): Promise<void> {
    const { underWay, reader, servers } = this.#parts;
    if (!servers.isReady) await this.#readable;
    const answers = await underWay.run(reader.readMany([...refs.values()]));
    counts?.endMany(answers);
    for (const [at, key] of [...refs.keys()].entries()) {
      const answer = answers[at];
      if (answer?.status !== 'fulfilled') throw answer?.reason;
      values.set(key, answer.value.value);
    }
  }
}
