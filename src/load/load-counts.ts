import type { LoadTotals } from '../redis/fleet-counts.ts';

/** What this process's loads of one loader came to; goes on counting. */
export class LoaderLoads implements LoadTotals {
  loads = 0;
  landed = 0;
  late = 0;
  leadMs = 0;

  /** @param leadMs - life the old entry still had; negative: too late */
  addLanded(leadMs: number): void {
    this.landed++;
    if (leadMs < 0) this.late++;
    else this.leadMs += leadMs;
  }
}

/** The loads of this process, by loader. */
export class LoadCounts {
  readonly #byLoader = new Map<string, LoaderLoads>();

  of(loader: string): LoaderLoads {
    const known = this.#byLoader.get(loader) ?? new LoaderLoads();
    this.#byLoader.set(loader, known);
    return known;
  }
}
