const SHORTEST_SLOT_MS = 100;
const SLOTS_PER_TTL = 4_096;
/** Lives may be far longer than the ttl; what is planned beyond so many slots is not counted. */
const MOST_SLOTS = 10_000;

/**
 * How many refreshes one scheduler has planned for each tenth of a second to come, of long ttls for each
 * 4,096th of the ttl: whole seconds would be level, but not the spans of a second across two of them.
 * Every scheduler counts its own: claims are random shares of the keys, so levelling the shares levels
 * their sum. A restarted one starts from zero, and levels what it plans from then on.
 */
export class PlannedRefreshes {
  readonly #slotMs: number;
  readonly #counts = new Map<number, number>();
  #currentSlot = Number.NEGATIVE_INFINITY;

  constructor(ttlMs: number) {
    this.#slotMs = Math.max(SHORTEST_SLOT_MS, ttlMs / SLOTS_PER_TTL);
  }

  /** How many are planned for the slot of that instant. */
  readonly at = (atMs: number): number => this.#counts.get(Math.floor(atMs / this.#slotMs)) ?? 0;

  add(atMs: number): void {
    const slot = Math.floor(atMs / this.#slotMs);
    const count = this.#counts.get(slot) ?? 0;
    if (count > 0 || this.#counts.size < MOST_SLOTS) this.#counts.set(slot, count + 1);
  }

  /** Slots that have passed are forgotten. */
  forgetBefore(nowMs: number): void {
    const currentSlot = Math.floor(nowMs / this.#slotMs);
    if (currentSlot === this.#currentSlot) return;
    this.#currentSlot = currentSlot;
    for (const slot of this.#counts.keys()) if (slot < currentSlot) this.#counts.delete(slot);
  }
}
