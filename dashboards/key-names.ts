import { createHmac, randomBytes } from 'node:crypto';

/** Key texts that a path cannot hold: browsers take these segments out of it. */
const NO_SEGMENT: readonly string[] = ['', '.', '..'];
const HASH = /^key-[0-9a-f]{20}$/;

export interface KeyNamesOptions {
  readonly basePath: string;
  readonly hideKeys: boolean;
}

/** How keys are called on pages, and where their pages are: by themselves or, hidden, by a hash that holds while this process runs. */
export class KeyNames {
  readonly isHiding: boolean;
  readonly #basePath: string;
  readonly #secret = randomBytes(32);

  constructor({ basePath, hideKeys }: KeyNamesOptions) {
    this.isHiding = hideKeys;
    this.#basePath = basePath;
  }

  /** What stands for the key wherever one is shown. */
  shown(key: string): string {
    return this.isHiding ? this.#hash(key) : key;
  }

  /** A text about the key, which may name it. */
  masked(text: string, key: string): string {
    return this.isHiding && key !== '' ? text.replaceAll(key, this.#hash(key)) : text;
  }

  href(loader: string, key: string): string {
    const path = `${this.#basePath}/keys/${encodeURIComponent(loader)}`;
    const name = this.shown(key);
    if (NO_SEGMENT.includes(name)) return `${path}?key=${name}`;
    return `${path}/${encodeURIComponent(name)}`;
  }

  /** Whether a name from a URL can only be read with the keys at hand that it may stand for. */
  isHash(name: string): boolean {
    return this.isHiding && HASH.test(name);
  }

  /** The key that a hash stands for. */
  find(hash: string, keys: readonly string[]): string | null {
    return keys.find((key) => this.#hash(key) === hash) ?? null;
  }

  // Keyed: ids and addresses are soon guessed by who can hash them.
  #hash(key: string): string {
    return `key-${createHmac('sha256', this.#secret).update(key).digest('hex').slice(0, 20)}`;
  }
}
