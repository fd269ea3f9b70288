import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Announcer, Dropped } from '../invalidate/dropped.ts';
import type { BusListener, BusListenerParts } from '../redis/bus-listener.ts';
import { withinTimeout } from '../redis/connection.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { encodeDrops, parseMessage } from './bus-message.ts';

/*
 * A process on the bus:  connecting → hearing, all dropped → (connection lost) → connecting → hearing, …
 * What was said while it could not hear is unknown: so whenever it begins to, the first time too, it
 * forgets all copies. Until then they live on for at most the tier's ttl.
 */

export interface BusParts {
  readonly publisher: RedisClient;
  readonly listen: (to: Omit<BusListenerParts, 'connect' | 'onRefused'>) => BusListener;
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

/** Drops that wait for the end of this turn of the event loop. */
const MAX_PENDING = 100;
/** A message that was not sent is sent again after these pauses, unless that has taken too long. */
const PAUSES_MS = [100, 200, 400];
const TRIED_FOR_MS = 1_500;

/** One channel on which processes tell each other what to forget, and whom a load's end wakes. */
export class InvalidationBus implements Announcer {
  readonly #parts: BusParts;
  readonly #self = randomUUID();
  readonly #listener: BusListener;
  #pending: Pending[] = [];
  #isClosed = false;

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.#listener = parts.listen({
      channel: parts.channel,
      onMessage: (text) => this.#hear(text),
      onHearing: parts.onGap,
    });
  }

  /**
   * Tells the other processes, together with what else is announced in this turn of the event loop. Rejects
   * when some may not have heard of it.
   */
  announce(what: Dropped): Promise<void> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ what, resolve, reject });
      if (count === 1) setImmediate(() => this.#flush());
      else if (count === MAX_PENDING) this.#flush();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#listener.close();
  }

  #flush(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    this.#send(batch.map(({ what }) => what)).then(
      () => {
        for (const { resolve } of batch) resolve();
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  // One after the other: all at once, the last would wait for the others' bytes, and seem lost.
  async #send(drops: readonly Dropped[]): Promise<void> {
    for (const text of encodeDrops(this.#self, drops)) await this.#publish(text);
  }

  // To say it twice does no harm; not to say it leaves others their copies.
  async #publish(text: string): Promise<void> {
    const { publisher, channel } = this.#parts;
    const giveUpAtMs = performance.now() + TRIED_FOR_MS;
    for (let tries = 0; ; tries++) {
      try {
        await withinTimeout(publisher.publish(channel, text), 'announcing');
        return;
      } catch (error) {
        const pauseMs = PAUSES_MS[tries];
        if (pauseMs === undefined || this.#isClosed || performance.now() > giveUpAtMs) throw error;
        await delay(pauseMs);
      }
    }
  }

  #hear(text: string): void {
    const { onDrop, onWake, onGap } = this.#parts;
    const message = parseMessage(text);
    if (message === null) onGap();
    else if (message.kind === 'wake') onWake(message.entryKey);
    else if (message.from !== this.#self) message.drops.forEach(onDrop);
  }
}
