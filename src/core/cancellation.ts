/**
 * Aborts one piece of work, once. As an AbortSignal only for who asks for it: most loaders never do, and
 * an AbortController with its listeners costs more than the rest of a small load.
 */
export class Cancellation {
  #listeners: ((reason: unknown) => void)[] = [];
  #controller: AbortController | null = null;
  #isAborted = false;
  #reason: unknown;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls back when it aborts, at once if it has; before any listener of the signal. */
  onAbort(listener: (reason: unknown) => void): void {
    if (this.#isAborted) listener(this.#reason);
    else this.#listeners.push(listener);
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(reason);
    this.#controller?.abort(reason);
  }
}
