import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { WarmQueue } from '../queue/warm-queue.ts';
import type { WarmReports } from '../redis/warm-reports.ts';
import type { Persistence } from './persistence.ts';
import type { WarmLedger } from './warm-ledger.ts';

export interface ReportCollectorParts {
  readonly run: { readonly loader: AnyLoader; readonly runId: string };
  readonly queue: WarmQueue;
  readonly reports: WarmReports;
  readonly ledger: WarmLedger;
  readonly persistence: Persistence;
  readonly clock: Clock;
  readonly events: Events;
  readonly stallMs: number;
  readonly onProgress: () => void;
}

const SHORTEST_POLL_MS = 5;
const LONGEST_POLL_MS = 250;
/** How often, and from what age on, jobs without a report are asked for. */
const CHECK_MS = 5_000;
const SHARE_OF_STALL = 0.5;

interface Waiter {
  readonly jobs: number;
  readonly resolve: () => void;
}

/** Takes in what workers report of a run's jobs, and finds those of which nobody will. */
export class ReportCollector {
  readonly #parts: ReportCollectorParts;
  readonly #checkMs: number;
  #waiter: Waiter | null = null;
  #checkedAtMs: number;
  /** Since when no worker is known to have been on a job. */
  #silentSinceMs: number;

  constructor(parts: ReportCollectorParts) {
    this.#parts = parts;
    this.#checkMs = Math.min(CHECK_MS, SHARE_OF_STALL * parts.stallMs);
    this.#checkedAtMs = parts.clock.now();
    this.#silentSinceMs = parts.clock.now();
  }

  /** Runs until the run is over. Rejects when Redis has been away for too long. */
  async run(): Promise<void> {
    const { persistence, clock, onProgress } = this.#parts;
    let pollMs = SHORTEST_POLL_MS;
    while (!persistence.isOver) {
      const landed = await persistence.try(() => this.#collect());
      onProgress();
      pollMs = landed > 0 ? SHORTEST_POLL_MS : Math.min(2 * pollMs, LONGEST_POLL_MS);
      if (clock.now() - this.#checkedAtMs >= this.#checkMs) {
        await persistence.try(() => this.#check());
        this.#checkedAtMs = clock.now();
      }
      await persistence.sleep(pollMs);
    }
    this.#waiter?.resolve();
  }

  /** Resolves when at most so many jobs are out, or the run is over. */
  async untilAtMost(jobs: number): Promise<void> {
    const { ledger, persistence } = this.#parts;
    if (ledger.jobsOut <= jobs || persistence.isOver) return;
    await new Promise<void>((resolve) => {
      this.#waiter = { jobs, resolve };
    });
  }

  async #collect(): Promise<number> {
    const { ledger, reports, run, clock } = this.#parts;
    const ids = ledger.jobIds;
    if (ids.length === 0) {
      this.#silentSinceMs = clock.now();
      return 0;
    }
    const found = await reports.read(run.loader, run.runId, ids);
    if (found.size === 0) return 0;
    for (const [id, counts] of found) ledger.end(id, counts);
    this.#silentSinceMs = clock.now();
    this.#landed();
    // Counted once: a report that stays is of a job that is not out any more.
    await reports.forget(run.loader, run.runId, [...found.keys()]);
    return found.size;
  }

  async #check(): Promise<void> {
    const { ledger, queue, clock } = this.#parts;
    const ids = ledger.olderThan(this.#checkMs);
    if (ids.length === 0) return;
    const states = await queue.states(ids);
    // A job is over only after its report: what has none now will never have one.
    await this.#collect();
    for (const [id, state] of states) if (state === 'over') ledger.lose(id);
    this.#landed();
    if ([...states.values()].includes('active')) this.#silentSinceMs = clock.now();
    this.#warnOfSilence();
  }

  #warnOfSilence(): void {
    const { clock, ledger, stallMs, events, run } = this.#parts;
    const silentMs = clock.now() - this.#silentSinceMs;
    const jobs = ledger.jobsOut;
    if (jobs === 0 || silentMs < stallMs) return;
    const loader = run.loader.name;
    events.emit('warm:stalled', { loader, runId: run.runId, jobs, silentMs });
    this.#silentSinceMs = clock.now();
    if (events.listeners('warm:stalled').size > 0) return;
    const seconds = Math.round(silentMs / 1_000);
    const message = `warm-up run "${run.runId}": no worker has taken any of its ${jobs} jobs of loader "${loader}" for ${seconds} s`;
    process.emitWarning(message, 'EverwarmWarning');
  }

  #landed(): void {
    const { ledger } = this.#parts;
    if (this.#waiter === null || ledger.jobsOut > this.#waiter.jobs) return;
    this.#waiter.resolve();
    this.#waiter = null;
  }
}
