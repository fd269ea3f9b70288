import type { Clock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import { scanFully } from './full-scan.ts';
import type { EntryName, Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptClient, scriptClient } from './scripts.ts';

/** A load waits no longer for it: an index that is slow must not slow down every load. */
const ADD_TIMEOUT_MS = 250;
const CHUNK = 500;
/** More would only wait for each other, while their time runs. */
const ADD_TOGETHER = 500;

/** An entry that may be there until then, under one of its tags. */
export interface TaggedEntry {
  readonly tag: string;
  readonly loader: NamedLoader;
  readonly key: string;
  readonly untilMs: number;
}

/** Which entries carry a tag, on the queue server: it must not be evicted while they live. */
export class TagIndex {
  readonly #client: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keys: Keys;
  readonly #clock: Clock;

  constructor(client: RedisClient, keys: Keys, clock: Clock) {
    this.#client = client;
    this.#scripts = scriptClient(client);
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Resolves when an invalidation of the tags would find the entries. Rejects when that is not sure. */
  async add(entries: readonly TaggedEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += ADD_TOGETHER) {
      await this.#addInTime(entries.slice(from, from + ADD_TOGETHER));
    }
  }

  async #addInTime(entries: readonly TaggedEntry[]): Promise<void> {
    const adding = Promise.all([...chunksByTag(entries)].map((chunk) => this.#add(chunk)));
    if (!(await settlesWithin(adding, ADD_TIMEOUT_MS))) {
      const message = `the index of tags did not answer within ${ADD_TIMEOUT_MS} ms`;
      throw new EverwarmError('REDIS_UNAVAILABLE', message);
    }
    await adding;
  }

  /**
   * Visits, batch by batch, every entry that was added before this call and may still be there.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE
   */
  find(tag: string, visit: (found: readonly EntryName[]) => Promise<void>): Promise<void> {
    const index = this.#keys.tag(tag);
    return scanFully({
      what: index,
      client: this.#client,
      clock: this.#clock,
      next: (cursor) => this.#client.zscan(index, cursor, 'COUNT', CHUNK),
      visit: async (members) => {
        const found = this.#living(members);
        if (found.length > 0) await visit(found);
      },
    });
  }

  async #add(entries: readonly TaggedEntry[]): Promise<void> {
    const [first] = entries;
    if (!first) return;
    // All of one load end at one time; the latest stands for all of a chunk.
    const untilMs = Math.max(...entries.map((entry) => entry.untilMs));
    const members = entries.map(({ loader, key }) => this.#keys.member(loader, key));
    const args = [this.#keys.tag(first.tag), this.#clock.now(), Math.ceil(untilMs), ...members];
    await this.#scripts.run('keepUntil', args);
  }

  /** Members and scores come by turns. */
  #living(replies: readonly string[]): EntryName[] {
    const nowMs = this.#clock.now();
    const found: EntryName[] = [];
    for (let at = 0; at + 1 < replies.length; at += 2) {
      if (Number(replies[at + 1]) < nowMs) continue;
      const entry = this.#keys.parseMember(replies[at] ?? '');
      if (entry) found.push(entry);
    }
    return found;
  }
}

function* chunksByTag(entries: readonly TaggedEntry[]): Iterable<readonly TaggedEntry[]> {
  const byTag = new Map<string, TaggedEntry[]>();
  for (const entry of entries) {
    const same = byTag.get(entry.tag);
    if (same) same.push(entry);
    else byTag.set(entry.tag, [entry]);
  }
  for (const same of byTag.values()) {
    for (let from = 0; from < same.length; from += CHUNK) yield same.slice(from, from + CHUNK);
  }
}
