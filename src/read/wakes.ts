/** Lets who waits for another process's load go on as soon as that has ended. */
export class Wakes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when the key is woken, or after `ms`. */
  wait(entryKey: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(entryKey) ?? new Set();
      const end = (): void => {
        clearTimeout(timeout);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(entryKey);
        resolve();
      };
      const timeout = setTimeout(end, ms);
      waiting.add(end);
      this.#waiting.set(entryKey, waiting);
    });
  }

  wake(entryKey: string): void {
    for (const end of [...(this.#waiting.get(entryKey) ?? [])]) end();
  }

  wakeWhere(matches: (entryKey: string) => boolean): void {
    for (const entryKey of [...this.#waiting.keys()]) {
      if (matches(entryKey)) this.wake(entryKey);
    }
  }
}
