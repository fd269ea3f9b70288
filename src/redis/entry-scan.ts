import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import { scanFully } from './full-scan.ts';
import type { EntryName, EntryScope, Keys } from './keys.ts';
import { mastersOf, type RedisClient } from './redis-client.ts';

const COUNT = 1_000;
/**
 * A load in flight is its lock, and then its entry. One that commits while the first pass is between the
 * two, past the place of its entry and not yet at that of its lock, is in neither; but its entry is there
 * when the second begins.
 */
const PASSES = 2;

export interface EntryScanParts {
  readonly client: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** @defaultValue `2`; one pass lets loads in flight survive */
  readonly passes?: number;
}

/** Finds the entries of a scope, and those that loads in flight may still write, on every master. */
export class EntryScan {
  readonly #parts: EntryScanParts;

  constructor(parts: EntryScanParts) {
    this.#parts = parts;
  }

  /**
   * Visits them batch by batch, each entry at least once.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE, or what `visit` throws
   */
  async run(
    scope: EntryScope,
    visit: (found: readonly EntryName[]) => Promise<void>,
  ): Promise<void> {
    const { client, passes = PASSES } = this.#parts;
    for (let pass = 0; pass < passes; pass++) {
      const masters = mastersOf(client);
      const onEach = masters.map((master) => this.#scan(master, scope, visit));
      for (const done of await Promise.allSettled(onEach)) {
        if (done.status === 'rejected') throw done.reason;
      }
    }
  }

  #scan(
    master: Redis,
    scope: EntryScope,
    visit: (found: readonly EntryName[]) => Promise<void>,
  ): Promise<void> {
    const { keys, clock } = this.#parts;
    const pattern = keys.scanPattern(scope);
    return scanFully({
      what: pattern,
      client: master,
      clock,
      next: (cursor) => master.scan(cursor, 'MATCH', pattern, 'COUNT', COUNT),
      visit: async (names) => {
        const found = this.#inScope(names, scope);
        if (found.length > 0) await visit(found);
      },
    });
  }

  #inScope(names: readonly string[], { loader, version, glob }: EntryScope): EntryName[] {
    const found = new Map<string, EntryName>();
    for (const name of names) {
      const entry = this.#parts.keys.parse(name);
      if (!entry || (loader !== null && entry.loader !== loader)) continue;
      if (version !== null && entry.version !== version) continue;
      if (glob === null || glob.matches(entry.key)) found.set(entry.entryKey, entry);
    }
    return [...found.values()];
  }
}
