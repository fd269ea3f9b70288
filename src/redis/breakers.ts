import { CircuitBreaker } from '../core/circuit-breaker.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { RedisRole } from './connection.ts';

/** Names of nodes that are long gone are forgotten with the others: a breaker starts closed. */
const MAX_NODES = 1_000;

export interface BreakersOptions {
  readonly role: RedisRole;
  readonly events: Events;
  /** The master that holds a key, '' where there is but one server. */
  readonly nodeOf: (key: string) => string;
}

/** The circuit breakers of one role: one for its server, on a cluster one for each master. */
export class Breakers {
  readonly #options: BreakersOptions;
  readonly #byNode = new Map<string, NodeBreaker>();

  constructor(options: BreakersOptions) {
    this.#options = options;
  }

  /** The breaker of the node that holds this key now. */
  ofKey(key: string): NodeBreaker {
    const node = this.#options.nodeOf(key);
    const known = this.#byNode.get(node);
    if (known !== undefined) return known;
    if (this.#byNode.size >= MAX_NODES) this.#byNode.clear();
    const breaker = new NodeBreaker({ ...this.#options, node });
    this.#byNode.set(node, breaker);
    return breaker;
  }

  /**
   * Makes a call to the node that holds this key, and takes its outcome into account.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE at once while the breaker is open
   */
  async guard<T>(key: string, call: () => Promise<T>): Promise<T> {
    const breaker = this.ofKey(key);
    if (!breaker.mayCall()) throw breaker.refusal;
    const sentAtMs = performance.now();
    try {
      const result = await call();
      breaker.succeeded();
      return result;
    } catch (error) {
      breaker.failed(error, sentAtMs);
      throw error;
    }
  }

  /** A connection is usable again: the next call finds out about its server. */
  probeSoon(): void {
    for (const breaker of this.#byNode.values()) breaker.probeSoon();
  }
}

/** One node's breaker, which tells what it has learned; instants are those of `performance.now()`. */
export class NodeBreaker {
  readonly #about: { readonly role: RedisRole; readonly node: string };
  readonly #events: Events;
  readonly #breaker = new CircuitBreaker();
  #refusal: EverwarmError;

  constructor({ role, node, events }: Omit<BreakersOptions, 'nodeOf'> & { node: string }) {
    this.#about = { role, node };
    this.#events = events;
    this.#refusal = this.#refusalAfter('it has not answered yet');
  }

  get isClosed(): boolean {
    return this.#breaker.isClosed;
  }

  /** What a call that may not be made ends with: one error for all of them, it is on the hot path. */
  get refusal(): EverwarmError {
    return this.#refusal;
  }

  /** While it is not closed a true answer is for one call, the probe; every call's end is reported. */
  mayCall(): boolean {
    return this.#breaker.isClosed || this.#breaker.mayCall(performance.now());
  }

  succeeded(): void {
    const wasClosed = this.#breaker.isClosed;
    this.#breaker.succeeded();
    if (!wasClosed) this.#events.emit('breaker:closed', this.#about);
  }

  failed(error: unknown, sentAtMs: number): void {
    const wasClosed = this.#breaker.isClosed;
    // What was under way when it opened fails as one: one event is enough.
    if (!this.#breaker.failed(sentAtMs, performance.now())) return;
    this.#events.emit('redis:failed', { role: this.#about.role, error });
    if (this.#breaker.isClosed) return;
    this.#refusal = this.#refusalAfter(messageOf(error));
    if (wasClosed) this.#events.emit('breaker:opened', this.#about);
  }

  probeSoon(): void {
    this.#breaker.probeSoon();
  }

  #refusalAfter(reason: string): EverwarmError {
    const { role, node } = this.#about;
    const where = node === '' ? `the ${role} Redis` : `the ${role} Redis at ${node}`;
    const message = `the circuit breaker is open for ${where}: ${reason}`;
    return new EverwarmError('REDIS_UNAVAILABLE', message);
  }
}
