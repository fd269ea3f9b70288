import type { Redis } from 'ioredis';

export interface BusListenerParts {
  /** Opens a connection that does not connect again by itself; null: no server is known yet. */
  readonly connect: () => Redis | null;
  readonly channel: string;
  readonly onMessage: (text: string) => void;
  /** It hears the channel; what was said on it since it last did, it has missed. */
  readonly onHearing: () => void;
  /** The server refuses it the channel; asked again later. */
  readonly onRefused: (error: unknown) => void;
}

const PING_MS = 4_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

/*
 * connecting → hearing → ended → (pause) → connecting, perhaps to another server
 */

/** Listens to one channel, on a connection of its own: on a cluster any node has every message. */
export class BusListener {
  readonly #parts: BusListenerParts;
  readonly #pings: NodeJS.Timeout;
  #redis: Redis | null = null;
  #again: NodeJS.Timeout | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(parts: BusListenerParts) {
    this.#parts = parts;
    // Who only listens notices a server that vanished without a word only by asking.
    this.#pings = setInterval(() => {
      if (this.#redis?.status === 'ready') this.#redis.ping().catch(() => undefined);
    }, PING_MS).unref();
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pings);
    if (this.#again) clearTimeout(this.#again);
    this.#redis?.disconnect();
  }

  #open(): void {
    this.#again = null;
    if (this.#isClosed) return;
    const redis = this.#parts.connect();
    this.#redis = redis;
    if (redis === null) {
      this.#openLater();
      return;
    }
    redis.on('message', (_channel: string, text: string) => this.#parts.onMessage(text));
    redis.on('ready', () => {
      redis.subscribe(this.#parts.channel).then(
        () => {
          this.#failures = 0;
          this.#parts.onHearing();
        },
        (error: unknown) => {
          // A connection that is lost reports itself.
          if (redis.status === 'ready') this.#parts.onRefused(error);
          redis.disconnect();
        },
      );
    });
    redis.once('end', () => this.#openLater());
  }

  #openLater(): void {
    if (this.#isClosed || this.#again) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, MAX_PAUSE_MS);
    this.#again = setTimeout(() => this.#open(), pauseMs).unref();
  }
}
