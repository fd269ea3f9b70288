import { InvalidKeyError, printValue } from '../core/errors.ts';

/** Up to so many keys that follow each other, and where they end, counted from the stream's start. */
export interface KeyChunk {
  readonly keys: readonly string[];
  readonly endsAt: number;
}

/** Reads a stream of key texts in chunks; rejects with what the stream throws. */
export class KeyChunks {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  #position = 0;
  #isOver = false;

  constructor(keys: AsyncIterable<string> | Iterable<string>) {
    this.#iterator =
      Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]();
  }

  get position(): number {
    return this.#position;
  }

  /** The next keys, at most `size`, after the first `skip` of the stream; null at its end. */
  async next(size: number, skip: number): Promise<KeyChunk | null> {
    const keys: string[] = [];
    while (keys.length < size && !this.#isOver) {
      const step = this.#iterator.next();
      // A turn of the event loop a key would be most of the time of a stream that has its keys at hand.
      const { done, value } =
        step instanceof Promise ? await step : (step as IteratorResult<unknown>);
      if (done) {
        this.#isOver = true;
      } else {
        this.#position++;
        if (this.#position > skip) keys.push(checked(value, this.#position));
      }
    }
    return keys.length > 0 ? { keys, endsAt: this.#position } : null;
  }

  /** Tells the stream that nobody reads on; does not wait for it. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void (async () => this.#iterator.return?.())().catch(() => undefined);
  }
}

function checked(key: unknown, position: number): string {
  if (typeof key === 'string') return key;
  throw new InvalidKeyError(`key ${position} (${printValue(key)}) must be a key's text`);
}
