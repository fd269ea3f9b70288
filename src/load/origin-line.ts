import type { Cancellation } from '../core/cancellation.ts';
import { processClock } from '../core/clock.ts';
import { isRefusal, type Refusal, type RefusedBy } from '../core/origin.ts';
import { waitUnlessAborted } from '../core/wait.ts';
import type { OriginGate } from '../redis/origin-gate.ts';

/** A call that waits for its turn. */
interface Waiter {
  settle(answer: string | Refusal | null): void;
}

/** How long a call may wait for its permit, who it is for, and what ends the wait. */
export interface LineWait {
  readonly rank: number;
  readonly maxWaitMs: number;
  readonly cancellation: Cancellation;
}

/** Those of one rank that wait; one of them asks for all. */
interface Line {
  readonly waiting: Set<Waiter>;
  /** What they were told last, and until when it holds on this process's clock. */
  held: { readonly untilMs: number; readonly refusal: Refusal } | null;
  isAsking: boolean;
  /** Ends the pause before the next question. */
  wake: (() => void) | null;
}

const RANKS = 3;

/**
 * One process's calls to one origin. Who is refused waits in the line of its rank, as long as it may; the
 * line asks for its first when the last refusal said, or when a call of this process has ended: many who
 * wait cost no more questions than one.
 */
export class OriginLine {
  readonly #gate: OriginGate;
  readonly #newToken: () => string;
  readonly #lines: readonly Line[];
  /** Places of this process that were freed: a refusal from before the last one is out of date. */
  #freed = 0;

  constructor(gate: OriginGate, newToken: () => string) {
    this.#gate = gate;
    this.#newToken = newToken;
    this.#lines = Array.from({ length: RANKS }, () => ({
      waiting: new Set<Waiter>(),
      held: null,
      isAsking: false,
      wake: null,
    }));
  }

  /** The token of a call that may begin now, or why it may not; null: it was aborted. */
  async enter(wait: LineWait): Promise<string | Refusal | null> {
    const { rank, maxWaitMs } = wait;
    const line = this.#line(rank);
    const held = refusalOf(line);
    if (held && !mayWait(held, maxWaitMs)) return held;
    if (!held && line.waiting.size === 0) {
      const answer = await this.#ask(rank, maxWaitMs);
      if (!isRefusal(answer)) return this.#begin(answer, wait);
      if (!mayWait(answer, maxWaitMs)) return answer;
    }
    return this.#stand(line, wait);
  }

  /** A call has ended, so that a place is free: whoever waits for one need not wait for the time it was told. */
  passOn(): void {
    this.#freed++;
    this.#forget((why) => why === 'concurrency');
  }

  /** The origin may be called again. */
  reopen(): void {
    this.#forget(() => true);
  }

  #forget(isOver: (why: RefusedBy) => boolean): void {
    for (const line of this.#lines) {
      if (!line.held || !isOver(line.held.refusal.why)) continue;
      line.held = null;
      line.wake?.();
    }
  }

  #line(rank: number): Line {
    return this.#lines[rank] as Line;
  }

  async #ask(rank: number, maxWaitMs: number): Promise<Refusal | Granted> {
    const token = this.#newToken();
    const freed = this.#freed;
    const answer = await this.#gate.enter({ token, rank, maxWaitMs });
    if (!isRefusal(answer)) return { token, waitMs: answer };
    const isOutdated = answer.why === 'concurrency' && freed !== this.#freed;
    if (!isOutdated) this.#remember(rank, answer);
    return answer;
  }

  /** What stops one stops those behind it; a pause or an open breaker stops all. */
  #remember(rank: number, refusal: Refusal): void {
    const isForAll = refusal.why === 'breaker' || refusal.why === 'retry-after';
    const held = { untilMs: processClock.now() + refusal.retryAfterMs, refusal };
    for (const line of this.#lines.slice(isForAll ? 0 : rank)) line.held = held;
  }

  async #begin({ token, waitMs }: Granted, wait: LineWait): Promise<string | Refusal | null> {
    if (waitMs <= 0) return token;
    await waitUnlessAborted(waitMs, wait.cancellation);
    const pausedMs = await this.#gate.hold(token);
    if (pausedMs <= 0) return token;
    // It has asked for a pause since the permit was reserved.
    await this.#gate.leave({ token, end: 'none', ageMs: 0, pauseMs: 0 });
    return this.enter({ ...wait, maxWaitMs: Math.max(0, wait.maxWaitMs - waitMs) });
  }

  #stand(line: Line, wait: LineWait): Promise<string | Refusal | null> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        settle: (answer) => {
          if (!line.waiting.delete(waiter)) return;
          clearTimeout(timeout);
          resolve(answer);
          if (line.waiting.size === 0) line.wake?.();
        },
      };
      const late = (): void => waiter.settle(refusalOf(line) ?? { ...UNKNOWN });
      const timeout = setTimeout(late, wait.maxWaitMs);
      line.waiting.add(waiter);
      wait.cancellation.onAbort(() => waiter.settle(null));
      if (!line.isAsking) void this.#askForAll(line, wait.rank);
    });
  }

  async #askForAll(line: Line, rank: number): Promise<void> {
    line.isAsking = true;
    while (line.waiting.size > 0) {
      const held = refusalOf(line);
      if (held?.why === 'breaker') {
        for (const waiter of line.waiting) waiter.settle(held);
      } else if (held) {
        await pause(line, held.retryAfterMs);
      } else {
        const answer = await this.#ask(rank, 0);
        if (!isRefusal(answer)) this.#give(line, answer.token);
      }
    }
    line.isAsking = false;
  }

  #give(line: Line, token: string): void {
    const [first] = line.waiting;
    if (first) first.settle(token);
    // Nobody waits any more: the place is for others.
    else void this.#gate.leave({ token, end: 'none', ageMs: 0, pauseMs: 0 });
  }
}

interface Granted {
  readonly token: string;
  readonly waitMs: number;
}

const UNKNOWN: Refusal = { why: 'concurrency', retryAfterMs: 50, openMs: 0 };

/** What the line was told last, while that holds. */
function refusalOf({ held }: Line): Refusal | null {
  const retryAfterMs = (held?.untilMs ?? 0) - processClock.now();
  return held && retryAfterMs > 0 ? { ...held.refusal, retryAfterMs } : null;
}

// An open breaker is not waited for: that it closes then is no more than a hope.
function mayWait({ why, retryAfterMs }: Refusal, maxWaitMs: number): boolean {
  return why !== 'breaker' && retryAfterMs <= maxWaitMs;
}

function pause(line: Line, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timeout = setTimeout(resolve, Math.ceil(ms) + 1);
    line.wake = () => {
      clearTimeout(timeout);
      resolve();
    };
  });
}
