import { asUnavailable, isAway } from './away.ts';
import { withinTimeout } from './connection.ts';
import type { ScriptArgument, ScriptCall } from './scripts.ts';

/** More calls in one script would hold up the server's other clients. */
const MAX_CALLS = 50;
/** More calls under way at a server would only wait there for each other, while their time runs. */
const MAX_UNDER_WAY = 250;

interface Pending {
  readonly call: ScriptCall;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Batch = readonly Pending[];

/** The calls that are under way at one server, and the batches that wait for their answers. */
interface Line {
  underWay: number;
  /** When it last answered, on the clock of `performance.now()`. */
  answeredAtMs: number;
  readonly waiting: Batch[];
}

/**
 * Calls of one script that are made in one turn of the event loop run as one: each on its own keys and
 * with a reply of its own, but for the price of one command; on a cluster those of one slot. A failure
 * of the script fails all of them; a server that does not answer fails those that wait for it, too.
 */
export class BatchedScript {
  readonly #run: (calls: readonly ScriptCall[]) => Promise<unknown[]>;
  readonly #what: string;
  readonly #timeoutMs: number;
  readonly #slotOf: (key: string) => number;
  readonly #nodeOf: (key: string) => string;
  readonly #lines = new Map<string, Line>();
  #pending: Pending[] = [];

  constructor(parts: {
    /** What the script does to its keys, for messages. */
    readonly what: string;
    readonly run: (calls: readonly ScriptCall[]) => Promise<unknown[]>;
    /** A script runs in one slot: calls of different ones run apart. */
    readonly slotOf: (key: string) => number;
    /** The server of a key: calls wait only for others of their own. */
    readonly nodeOf: (key: string) => string;
    /** Counted from the sending. */
    readonly timeoutMs: number;
  }) {
    this.#what = parts.what;
    this.#run = parts.run;
    this.#slotOf = parts.slotOf;
    this.#nodeOf = parts.nodeOf;
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
    for (const batch of batches.values()) this.#queue(batch);
  }

  #queue(batch: Batch): void {
    const node = this.#nodeOf(batch[0]?.call.keys[0] ?? '');
    const line = this.#lines.get(node) ?? { underWay: 0, answeredAtMs: 0, waiting: [] };
    this.#lines.set(node, line);
    line.waiting.push(batch);
    this.#move(node, line);
  }

  #move(node: string, line: Line): void {
    while (line.underWay < MAX_UNDER_WAY) {
      const batch = line.waiting.shift();
      if (batch === undefined) break;
      line.underWay += batch.length;
      void this.#send(batch).then((failure) => {
        line.underWay -= batch.length;
        const nowMs = performance.now();
        if (!isAway(failure)) line.answeredAtMs = nowMs;
        else if (nowMs - line.answeredAtMs >= this.#timeoutMs) {
          fail(line.waiting.splice(0).flat(), failure);
        }
        this.#move(node, line);
      });
    }
    if (line.underWay === 0) this.#lines.delete(node);
  }

  /** Settles the calls of a batch; answers the error they failed with, or null. */
  async #send(batch: Batch): Promise<unknown> {
    const [first] = batch;
    const which = batch.length === 1 ? first?.call.keys[0] : `${batch.length} keys`;
    const what = `${this.#what} ${which}`;
    try {
      const replies = this.#run(batch.map(({ call }) => call));
      const all = await withinTimeout(replies, what, this.#timeoutMs);
      for (const [at, { resolve }] of batch.entries()) resolve(all[at]);
      return null;
    } catch (cause) {
      const error = asUnavailable(cause, what);
      fail(batch, error);
      return error;
    }
  }
}

function fail(batch: Batch, error: unknown): void {
  for (const { reject } of batch) reject(error);
}
