import { Glob } from '../core/glob.ts';
import type { EntryName, Keys, NamedLoader } from '../redis/keys.ts';
import type { Dropped, LocalDrop } from './dropped.ts';
import type { SingleFlight } from './single-flight.ts';

/** Detaches flights of what was dropped: what is under way read an older state. */
export class FlightDrop<T> implements LocalDrop {
  readonly #flights: SingleFlight<T>;
  readonly #keys: Keys;
  readonly #loaders: ReadonlyMap<string, NamedLoader>;

  constructor(flights: SingleFlight<T>, keys: Keys, loaders: Iterable<NamedLoader>) {
    this.#flights = flights;
    this.#keys = keys;
    this.#loaders = new Map(Array.from(loaders, (loader) => [loader.name, loader]));
  }

  drop(what: Dropped): void {
    if (what.kind === 'keys') {
      const loader = this.#loaders.get(what.loader);
      if (!loader) return;
      for (const key of what.keys) this.#flights.detach(this.#keys.entry(loader, key));
      return;
    }
    const isMeant = meant(what);
    this.#flights.detachWhere((entryKey) => {
      const entry = this.#keys.parse(entryKey);
      return entry === null || isMeant(entry);
    });
  }
}

function meant(what: Exclude<Dropped, { kind: 'keys' }>): (entry: EntryName) => boolean {
  if (what.kind === 'namespace') return () => true;
  if (what.kind === 'loader') return ({ loader }) => loader === what.loader;
  const glob = new Glob(what.glob);
  return ({ loader, key }) => loader === what.loader && glob.matches(key);
}
