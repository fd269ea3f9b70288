import { randomUUID } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import { type BusConnections, withinTimeout } from '../redis/connection.ts';
import { encodeDrops, parseMessage } from './bus-message.ts';
import type { Announcer, Dropped } from './dropped.ts';

/*
 * A process on the bus:  subscribing → hearing → (connection lost) → subscribing → hearing, all dropped
 * What was said while it could not hear is unknown: so on each return it forgets all copies. Between, they
 * live on for at most the tier's ttl.
 */

export interface BusParts {
  readonly connections: BusConnections;
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
const PING_MS = 4_000;

/** One channel on which processes tell each other what to forget, and whom a load's end wakes. */
export class InvalidationBus implements Announcer {
  readonly #parts: BusParts;
  readonly #self = randomUUID();
  readonly #pings: NodeJS.Timeout;
  #pending: Pending[] = [];
  #hasHeard = false;

  constructor(parts: BusParts) {
    this.#parts = parts;
    const { subscriber } = parts.connections;
    subscriber.on('message', (_channel: string, text: string) => this.#hear(text));
    subscriber.on('ready', this.#subscribe);
    if (subscriber.status === 'ready') this.#subscribe();
    // A connection that only listens notices a server that vanished without a word only by asking.
    this.#pings = setInterval(() => {
      if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
    }, PING_MS).unref();
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
    clearInterval(this.#pings);
    this.#parts.connections.subscriber.off('ready', this.#subscribe);
  }

  #flush(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    const { connections, channel } = this.#parts;
    const text = encodeDrops(
      this.#self,
      batch.map(({ what }) => what),
    );
    withinTimeout(connections.publisher.publish(channel, text), 'announcing').then(
      () => {
        for (const { resolve } of batch) resolve();
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  readonly #subscribe = (): void => {
    const { connections, channel, onGap } = this.#parts;
    connections.subscriber.subscribe(channel).then(
      () => {
        // The first time there is nothing yet that could be out of date.
        if (this.#hasHeard) onGap();
        this.#hasHeard = true;
      },
      (error: unknown) => {
        process.emitWarning(`not on the bus ${channel}: ${messageOf(error)}`, 'EverwarmWarning');
      },
    );
  };

  #hear(text: string): void {
    const { onDrop, onWake, onGap } = this.#parts;
    const message = parseMessage(text);
    if (message === null) onGap();
    else if (message.kind === 'wake') onWake(message.entryKey);
    else if (message.from !== this.#self) message.drops.forEach(onDrop);
  }
}
