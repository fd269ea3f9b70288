import type { Clock } from '../core/clock.ts';
import type { WarmCounts } from '../redis/warm-reports.ts';
import type { WarmProgress } from './warm-progress.ts';
import type { WarmRequest } from './warm-request.ts';

/** Keys in a row, finished once none of their jobs is out. */
export interface Stretch {
  readonly endsAt: number;
  /** Not ended, or not begun. */
  jobsLeft: number;
}

interface OutstandingJob {
  readonly stretch: Stretch;
  readonly keys: number;
  readonly enqueuedAtMs: number;
}

const RATE_WINDOW_MS = 10_000;
const SAMPLE_MS = 250;

/** What a run has out in the queue, and what became of the rest. It holds no keys. */
export class WarmLedger {
  readonly #clock: Clock;
  readonly #total: number | null;
  readonly #spreadOverMs: number;
  readonly #jobs = new Map<string, OutstandingJob>();
  readonly #stretches: Stretch[] = [];
  readonly #samples: { readonly atMs: number; readonly finished: number }[];
  readonly #counts = { done: 0, skipped: 0, failed: 0 };
  #position: number;

  constructor(
    clock: Clock,
    { skip, total, spreadOverMs }: Pick<WarmRequest, 'skip' | 'total' | 'spreadOverMs'>,
  ) {
    this.#clock = clock;
    this.#total = total;
    this.#spreadOverMs = spreadOverMs;
    this.#position = skip;
    this.#samples = [{ atMs: clock.now(), finished: 0 }];
  }

  get jobIds(): string[] {
    return [...this.#jobs.keys()];
  }

  get jobsOut(): number {
    return this.#jobs.size;
  }

  /** The jobs that have been out for longer than that. */
  olderThan(ageMs: number): string[] {
    const latestMs = this.#clock.now() - ageMs;
    return [...this.#jobs].filter(([, job]) => job.enqueuedAtMs <= latestMs).map(([id]) => id);
  }

  /** Takes in the next keys: how many need no job, and how many jobs the others need. */
  begin(
    endsAt: number,
    { skipped, jobs }: { readonly skipped: number; readonly jobs: number },
  ): Stretch {
    const stretch = { endsAt, jobsLeft: jobs };
    this.#stretches.push(stretch);
    this.#counts.skipped += skipped;
    this.#advance();
    return stretch;
  }

  /** Takes in jobs that are in the queue now, with how many keys each has. */
  add(stretch: Stretch, jobs: ReadonlyMap<string, number>): void {
    const enqueuedAtMs = this.#clock.now();
    for (const [id, keys] of jobs) this.#jobs.set(id, { stretch, keys, enqueuedAtMs });
  }

  /** Ends a job; nothing for one that is not out. */
  end(id: string, counts: WarmCounts): void {
    if (!this.#close(id)) return;
    this.#counts.done += counts.done;
    this.#counts.skipped += counts.skipped;
    this.#counts.failed += counts.failed;
  }

  /** Ends a job of which nobody will ever report. */
  lose(id: string): void {
    const job = this.#close(id);
    if (job) this.#counts.failed += job.keys;
  }

  /** How many keys are through. */
  get finished(): number {
    const { done, skipped, failed } = this.#counts;
    return done + skipped + failed;
  }

  get progress(): WarmProgress {
    const keysPerSecond = this.#keysPerSecond();
    return {
      position: this.#position,
      ...this.#counts,
      total: this.#total,
      keysPerSecond,
      expectedEndAtMs: this.#expectedEndAtMs(keysPerSecond),
    };
  }

  /** By the rate so far; a run that takes its time is no sooner over for a fast begin. */
  #expectedEndAtMs(keysPerSecond: number): number | null {
    if (this.#total === null) return null;
    const left = Math.max(0, this.#total - this.#position);
    if (left > 0 && keysPerSecond === 0) return null;
    const byRateMs = left > 0 ? (left * 1_000) / keysPerSecond : 0;
    const bySpreadMs = left > 0 ? (left * this.#spreadOverMs) / this.#total : 0;
    return this.#clock.now() + Math.max(byRateMs, bySpreadMs);
  }

  #close(id: string): OutstandingJob | undefined {
    const job = this.#jobs.get(id);
    if (!job) return undefined;
    this.#jobs.delete(id);
    job.stretch.jobsLeft--;
    this.#advance();
    return job;
  }

  #advance(): void {
    while (this.#stretches[0]?.jobsLeft === 0) {
      this.#position = this.#stretches.shift()?.endsAt ?? this.#position;
    }
  }

  #keysPerSecond(): number {
    const now = { atMs: this.#clock.now(), finished: this.finished };
    const last = this.#samples.at(-1);
    if (!last || now.atMs - last.atMs >= SAMPLE_MS) this.#samples.push(now);
    while ((this.#samples[1]?.atMs ?? now.atMs) < now.atMs - RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? now;
    const spanMs = now.atMs - first.atMs;
    return spanMs > 0 ? ((now.finished - first.finished) * 1_000) / spanMs : 0;
  }
}
