import { asUnavailable } from './away.ts';
import { withinTimeout } from './connection.ts';
import type { ScriptArgument, ScriptCall } from './scripts.ts';

/** More calls in one script would hold up the server's other clients. */
const MAX_CALLS = 50;

interface Pending {
  readonly call: ScriptCall;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls of one script that are made in one turn of the event loop run as one: each on its own keys and
 * with a reply of its own, but for the price of one command; on a cluster those of one slot. A failure of the script fails all of them.
 */
export class BatchedScript {
  readonly #run: (calls: readonly ScriptCall[]) => Promise<unknown[]>;
  readonly #what: string;
  readonly #timeoutMs: number;
  readonly #slotOf: (key: string) => number;
  #pending: Pending[] = [];

  constructor(parts: {
    /** What the script does to its keys, for messages. */
    readonly what: string;
    readonly run: (calls: readonly ScriptCall[]) => Promise<unknown[]>;
    /** A script runs in one slot: calls of different ones run apart. */
    readonly slotOf: (key: string) => number;
    readonly timeoutMs: number;
  }) {
    this.#what = parts.what;
    this.#run = parts.run;
    this.#slotOf = parts.slotOf;
    this.#timeoutMs = parts.timeoutMs;
  }

  call(keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ call: { keys, args }, resolve, reject });
      if (count === 1) setImmediate(() => this.#flush());
      else if (count === MAX_CALLS) this.#flush();
    });
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    const batches = new Map<number, Pending[]>();
    for (const one of pending) {
      const slot = this.#slotOf(one.call.keys[0] ?? '');
      const batch = batches.get(slot);
      if (batch) batch.push(one);
      else batches.set(slot, [one]);
    }
    for (const batch of batches.values()) this.#send(batch);
  }

  #send(batch: readonly Pending[]): void {
    const [first] = batch;
    const which = batch.length === 1 ? first?.call.keys[0] : `${batch.length} keys`;
    const replies = this.#run(batch.map(({ call }) => call));
    const what = `${this.#what} ${which}`;
    withinTimeout(replies, what, this.#timeoutMs).then(
      (all) => {
        for (const [at, { resolve }] of batch.entries()) resolve(all[at]);
      },
      (cause: unknown) => {
        const error = asUnavailable(cause, what);
        for (const { reject } of batch) reject(error);
      },
    );
  }
}
