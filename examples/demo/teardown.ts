type Close = () => Promise<unknown>;

/** Closes what was opened, the last first; one that fails does not keep the others open. */
export class Teardown {
  readonly #closes: Close[] = [];
  #hasRun = false;

  /** After `run`, closes at once: Ctrl-C may come in the middle of a start. */
  defer(close: Close): void {
    if (this.#hasRun) void close().catch(() => {});
    else this.#closes.push(close);
  }

  async run(): Promise<void> {
    this.#hasRun = true;
    const failures: unknown[] = [];
    for (const close of this.#closes.reverse())
      await close().catch((error) => failures.push(error));
    if (failures.length > 0)
      throw new AggregateError(failures, `could not stop everything: ${failures.join('; ')}`);
  }
}
