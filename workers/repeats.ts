const REPEAT_MS = 10_000;
const MOST = 1_000;

interface Trouble<T> {
  more: number;
  last: T;
}

/** Tells the same trouble at once, and then at most every ten seconds how often it came again, as long as it does. */
export class Repeats<T> {
  readonly #tell: (line: T, more: number) => void;
  readonly #troubles = new Map<string, Trouble<T>>();

  /** @param tell - writes a line; `more`: how often its like has come since the last one that was written, 0 for a first one */
  constructor(tell: (line: T, more: number) => void) {
    this.#tell = tell;
  }

  /** @param likeness - the same for lines that say the same */
  add(likeness: string, line: T): void {
    // Of too many kinds at a time, what is new is counted as one kind.
    const name = this.#troubles.has(likeness) || this.#troubles.size < MOST ? likeness : '';
    const known = this.#troubles.get(name);
    if (known) {
      known.more++;
      known.last = line;
      return;
    }
    this.#troubles.set(name, { more: 0, last: line });
    this.#tell(line, 0);
    this.#lookLater(name);
  }

  #lookLater(name: string): void {
    setTimeout(() => {
      const trouble = this.#troubles.get(name);
      if (!trouble || trouble.more === 0) {
        this.#troubles.delete(name);
        return;
      }
      const { more, last } = trouble;
      trouble.more = 0;
      this.#tell(last, more);
      this.#lookLater(name);
    }, REPEAT_MS).unref();
  }
}
