import { asUnavailable, isAway } from './away.ts';
import { withinTimeout } from './connection.ts';
import type { ScriptArgument, ScriptCall } from './scripts.ts';

/** More keys in one script would hold up the server's other clients. */
export const MOST_TOGETHER = 50;
/** More keys under way at a server would only wait there for each other, while their time runs. */
const MAX_UNDER_WAY = 500;

interface Pending {
  readonly call: ScriptCall;
  /** How many replies are its own. */
  readonly count: number;
  readonly resolve: (replies: unknown[]) => void;
  readonly reject: (error: unknown) => void;
}

type Batch = readonly Pending[];

/** The keys that are under way at one server, and the batches that wait for their answers. */
interface Line {
  underWay: number;
  /** When it last answered, on the clock of `performance.now()`. */
  answeredAtMs: number;
  readonly waiting: Batch[];
}

/**
 * Calls of one script that are made in one turn of the event loop run as one: each on its own keys and
 * with replies of its own, but for the price of one command; on a cluster those of one slot. A failure
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
  #pendingCount = 0;

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

  /** A call for `count` keys, at most {@link MOST_TOGETHER}, on a cluster all of one slot: a reply for each. */
  call(
    keys: readonly string[],
    args: readonly ScriptArgument[],
    count = 1,
  ): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#pendingCount + count > MOST_TOGETHER) this.#flush();
      const calls = this.#pending.push({ call: { keys, args }, count, resolve, reject });
      this.#pendingCount += count;
      if (this.#pendingCount >= MOST_TOGETHER) this.#flush();
      else if (calls === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    this.#pendingCount = 0;
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
      const count = countOf(batch);
      line.underWay += count;
      void this.#send(batch).then((failure) => {
        line.underWay -= count;
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
    const count = countOf(batch);
    const which = count === 1 ? first?.call.keys[0] : `${count} keys`;
    const what = `${this.#what} ${which}`;
    try {
      const replies = this.#run(batch.map(({ call }) => call));
      const all = await withinTimeout(replies, what, this.#timeoutMs);
      let at = 0;
      for (const one of batch) {
        one.resolve(batch.length === 1 ? all : all.slice(at, at + one.count));
        at += one.count;
      }
      return null;
    } catch (cause) {
      const error = asUnavailable(cause, what);
      fail(batch, error);
      return error;
    }
  }
}

function countOf(batch: Batch): number {
  let count = 0;
  for (const one of batch) count += one.count;
  return count;
}

function fail(batch: Batch, error: unknown): void {
  for (const { reject } of batch) reject(error);
}
