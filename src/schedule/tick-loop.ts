import { Progress } from '../core/progress.ts';

/** What is run again and again; answers when there is next something to do, epoch ms, or null. */
export type Tick = () => Promise<number | null>;

export interface TickLoopOptions {
  /** What it does, for a complaint that it does not. */
  readonly name: string;
  readonly now: () => number;
  /** Shortest pause between two ticks. */
  readonly tickMs: number;
  /** Longest pause: reads may make a key due at any time. */
  readonly idleMs: number;
  readonly onError: (error: unknown) => void;
  /** Whether there is more to do than one tick can, and readers wait for it: then ticks follow one another closely. */
  readonly isHurried?: () => boolean;
}

const HURRIED_MS = 25;
/** Longer than a tick with much to do takes. */
const LATE_MS = 5_000;

/** Runs a tick, sleeps until there is something to do, and again; one tick at a time. */
export class TickLoop {
  readonly #tick: Tick;
  readonly #options: TickLoopOptions;
  readonly #progress = new Progress();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #isClosed = false;

  constructor(tick: Tick, options: TickLoopOptions) {
    this.#tick = tick;
    this.#options = options;
    this.#sleep(0);
  }

  /** Ends the pause; does nothing while a tick is under way. */
  hurry(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#sleep(0);
  }

  /** What is wrong, if no tick has been completed since two were due. */
  complaint(): string | null {
    const { name, idleMs } = this.#options;
    return this.#progress.complaint(name, 2 * idleMs + LATE_MS);
  }

  /** Resolves once the tick under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  #sleep(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#running = this.#run();
    }, ms);
  }

  async #run(): Promise<void> {
    const { now, tickMs, idleMs, onError } = this.#options;
    let pauseMs = idleMs;
    try {
      const nextAtMs = await this.#tick();
      this.#progress.note();
      if (nextAtMs !== null) pauseMs = Math.min(idleMs, Math.max(tickMs, nextAtMs - now()));
    } catch (error) {
      onError(error);
    }
    this.#sleep(this.#options.isHurried?.() ? Math.min(pauseMs, HURRIED_MS) : pauseMs);
  }
}
