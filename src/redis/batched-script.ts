import { withinTimeout } from './connection.ts';
import type { ScriptArgument, ScriptCall } from './scripts.ts';

/** More calls in one script would hold up the server's other clients. */
const MAX_CALLS = 50;

interface About {
  /** What a call does, for messages. */
  readonly what: string;
  readonly timeoutMs: number;
}

interface Pending {
  readonly call: ScriptCall;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls of one script that are made in one turn of the event loop run as one: each on its own keys and
 * with a reply of its own, but for the price of one command. A failure of the script fails all of them.
 */
export class BatchedScript {
  readonly #run: (calls: readonly ScriptCall[]) => Promise<unknown[]>;
  readonly #about: About;
  #pending: Pending[] = [];

  constructor(about: About, run: (calls: readonly ScriptCall[]) => Promise<unknown[]>) {
    this.#about = about;
    this.#run = run;
  }

  call(keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ call: { keys, args }, resolve, reject });
      if (count === 1) setImmediate(() => this.#flush());
      else if (count === MAX_CALLS) this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    const [first] = batch;
    const which = batch.length === 1 ? first?.call.keys[0] : `${batch.length} keys`;
    const replies = this.#run(batch.map(({ call }) => call));
    const { what, timeoutMs } = this.#about;
    withinTimeout(replies, `${what} ${which}`, timeoutMs).then(
      (all) => {
        for (const [at, { resolve }] of batch.entries()) resolve(all[at]);
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }
}
