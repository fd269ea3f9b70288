/** Somebody who waits for another process's load. */
export interface Waiting {
  /** Forgets what has woken it so far: what it asks now, it asks after that. */
  reset(): void;
  /** Resolves when the key is woken, or has been since `reset()`, or after `ms`. */
  wait(ms: number): Promise<void>;
  close(): void;
}

/** Lets who waits for another process's load go on as soon as that has ended. */
export class Wakes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /**
   * Begins to listen, before its caller asks whether there is a load to wait for: the end of that may be told
   * on another connection, and be heard before the answer.
   */
  listen(entryKey: string): Waiting {
    let isWoken = false;
    let end = (): void => undefined;
    const wake = (): void => {
      isWoken = true;
      end();
    };
    const all = this.#waiting.get(entryKey) ?? new Set();
    this.#waiting.set(entryKey, all.add(wake));
    return {
      reset: () => {
        isWoken = false;
      },
      wait: (ms) => {
        if (isWoken) return Promise.resolve();
        return new Promise((resolve) => {
          const timeout = setTimeout(() => end(), ms);
          end = () => {
            clearTimeout(timeout);
            end = () => undefined;
            resolve();
          };
        });
      },
      close: () => {
        all.delete(wake);
        if (all.size === 0 && this.#waiting.get(entryKey) === all) this.#waiting.delete(entryKey);
      },
    };
  }

  wake(entryKey: string): void {
    for (const wake of this.#waiting.get(entryKey) ?? []) wake();
  }

  wakeWhere(matches: (entryKey: string) => boolean): void {
    for (const entryKey of this.#waiting.keys()) if (matches(entryKey)) this.wake(entryKey);
  }
}
