import { printSpan } from './print-span.ts';

/** When something last got on. To be connected is not enough: a loop may be parked on a connection that is well. */
export class Progress {
  #atMs: number | null = null;

  note(): void {
    this.#atMs = performance.now();
  }

  /** What is wrong with `what`, if it has not got on for so long. */
  complaint(what: string, lateMs: number): string | null {
    if (this.#atMs === null) return `${what}: never yet`;
    const sinceMs = performance.now() - this.#atMs;
    return sinceMs <= lateMs ? null : `${what}: not for ${printSpan(sinceMs)}`;
  }
}
