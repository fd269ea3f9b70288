import { randomUUID } from 'node:crypto';
import type { BusListener, BusListenerParts } from '../redis/bus-listener.ts';
import { withinTimeout } from '../redis/connection.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { encodeDrops, parseMessage } from './bus-message.ts';
import type { Announcer, Dropped } from './dropped.ts';

/*
 * A process on the bus:  connecting → hearing → (connection lost) → connecting → hearing, all dropped
 * What was said while it could not hear is unknown: so on each return it forgets all copies. Between, they
 * live on for at most the tier's ttl.
 */

export interface BusParts {
  readonly publisher: RedisClient;
  readonly listen: (to: Omit<BusListenerParts, 'connect'>) => BusListener;
  readonly channel: string;
  readonly onDrop: (what: Dropped) => void;
  readonly onWake: (entryKey: string) => void;
  /** Messages may have been missed. */
  readonly onGap: () => void;
}

interface Pending {
  readonly what: Dropped;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Drops in one message: it stays small, whatever is invalidated at once. */
const MAX_DROPS = 100;

/** One channel on which processes tell each other what to forget, and whom a load's end wakes. */
export class InvalidationBus implements Announcer {
  readonly #parts: BusParts;
  readonly #self = randomUUID();
  readonly #listener: BusListener;
  #pending: Pending[] = [];
  #hasHeard = false;

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.#listener = parts.listen({
      channel: parts.channel,
      onMessage: (text) => this.#hear(text),
      onHearing: () => {
        // The first time there is nothing yet that could be out of date.
        if (this.#hasHeard) parts.onGap();
        this.#hasHeard = true;
      },
    });
  }

  /** Tells the other processes, together with what else is announced in this turn of the event loop. */
  announce(what: Dropped): Promise<void> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ what, resolve, reject });
      if (count === 1) setImmediate(() => this.#flush());
      else if (count === MAX_DROPS) this.#flush();
    });
  }

  close(): void {
    this.#listener.close();
  }

  #flush(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    const { publisher, channel } = this.#parts;
    const text = encodeDrops(
      this.#self,
      batch.map(({ what }) => what),
    );
    withinTimeout(publisher.publish(channel, text), 'announcing').then(
      () => {
        for (const { resolve } of batch) resolve();
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  #hear(text: string): void {
    const { onDrop, onWake, onGap } = this.#parts;
    const message = parseMessage(text);
    if (message === null) onGap();
    else if (message.kind === 'wake') onWake(message.entryKey);
    else if (message.from !== this.#self) message.drops.forEach(onDrop);
  }
}
