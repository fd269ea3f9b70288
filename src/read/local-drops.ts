import type { Wakes } from '../bus/wakes.ts';
import type { Dropped, LocalDrop } from '../invalidate/dropped.ts';
import type { Keys } from '../redis/keys.ts';
import type { Answer } from './answer.ts';
import type { LocalLoader } from './local-loaders.ts';
import type { SingleFlight } from './single-flight.ts';

export interface LocalDropsParts {
  readonly keys: Keys;
  readonly flights: SingleFlight<Answer>;
  readonly wakes: Wakes;
  /** The loaders of this process, by name. */
  readonly loaders: ReadonlyMap<string, LocalLoader>;
}

/** Forgets in this process what was set or invalidated: copies, and flights that read an older state. */
export class LocalDrops implements LocalDrop {
  readonly #parts: LocalDropsParts;

  constructor(parts: LocalDropsParts) {
    this.#parts = parts;
  }

  drop(what: Dropped): void {
    if (what.kind === 'namespace') {
      this.dropAll();
      return;
    }
    const local = this.#parts.loaders.get(what.loader);
    if (!local) return;
    if (what.kind === 'keys') this.#dropKeys(local, what.keys);
    // Of a pattern all of its loader: some copies too many are read again, none too few.
    else this.#dropLoader(local);
  }

  /** Everything: messages may have been missed. */
  dropAll(): void {
    for (const local of this.#parts.loaders.values()) this.#dropLoader(local);
  }

  #dropKeys({ loader, tier }: LocalLoader, texts: readonly string[]): void {
    const { keys, flights, wakes } = this.#parts;
    for (const key of texts) {
      const entryKey = keys.entry(loader, key);
      tier?.drop(key);
      flights.detach(entryKey);
      wakes.wake(entryKey);
    }
  }

  #dropLoader({ loader, tier }: LocalLoader): void {
    const { keys, flights, wakes } = this.#parts;
    const prefix = keys.entryPrefix(loader);
    const isOfLoader = (entryKey: string): boolean => entryKey.startsWith(prefix);
    tier?.dropAll();
    flights.detachWhere(isOfLoader);
    wakes.wakeWhere(isOfLoader);
  }
}
