/** At most one call under way per key: who comes while it runs shares its result. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** Joins the flight of `key`, or starts it. With `keepMs` a result is shared for so long after it landed. */
  run(key: string, start: (keep: (keepMs: number) => void) => Promise<T>): Promise<T> {
    const current = this.#flights.get(key);
    if (current !== undefined) return current;
    let keepMs = 0;
    const flight = start((ms) => {
      keepMs = ms;
    }).finally(() => {
      if (keepMs === 0) this.#end(key, flight);
      else setTimeout(() => this.#end(key, flight), keepMs).unref();
    });
    this.#flights.set(key, flight);
    return flight;
  }

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Who comes from now on starts anew: what is under way read an older state. */
  detach(key: string): void {
    this.#flights.delete(key);
  }

  /** As `detach`, of every key like that. */
  detachWhere(isMeant: (key: string) => boolean): void {
    for (const key of this.#flights.keys()) if (isMeant(key)) this.#flights.delete(key);
  }

  #end(key: string, flight: Promise<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
