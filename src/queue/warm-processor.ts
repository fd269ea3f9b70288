import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { EverwarmError, messageOf, printValue } from '../core/errors.ts';
import { Slots } from '../core/slots.ts';
import { SHORT_PERMIT_WAIT_MS } from '../load/permits.ts';
import { type Warmed, type WarmKey, WarmLoad } from '../load/warm-load.ts';
import { isFresh } from '../policy/freshness.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { WarmReports } from '../redis/warm-reports.ts';
import { lookAfterLandingMs } from './look-after-landing.ts';
import { Postponement } from './postponement.ts';
import { KEYS_PER_SLOT, type ProcessorParts } from './processor-parts.ts';
import { everyKeyFailed, type RefreshJobResult } from './refresh-job.ts';
import { parseWarmJob, type WarmJobData } from './warm-job.ts';

export interface WarmProcessorParts extends ProcessorParts {
  readonly reports: WarmReports;
}

/** A warm-up takes no more of a worker: refreshes never wait behind all of it. */
const SHARE_OF_CALLS = 0.5;
/** An overtaken load is not tried again at once. */
const LEAST_DELAY_MS = 100;

/**
 * Runs the jobs of warm-ups of one loader: lock → load → fenced commit, and reports to the warmer what
 * became of each job. Keys that have to be tried again are put off with their job, until its deadline.
 */
export class WarmProcessor {
  readonly #parts: WarmProcessorParts;
  readonly #warmLoad: WarmLoad;
  readonly #underWay: Slots;
  readonly #calls: Slots;
  readonly #postponement: Postponement;

  constructor(parts: WarmProcessorParts) {
    this.#parts = parts;
    this.#warmLoad = new WarmLoad(parts);
    const calls = Math.max(1, Math.floor(SHARE_OF_CALLS * parts.concurrency));
    this.#underWay = new Slots(KEYS_PER_SLOT * calls);
    this.#calls = new Slots(calls);
    const { loader, fenced, random } = parts;
    const loadMs = (): number => fenced.loadTime(loader.name)?.meanMs ?? 0;
    this.#postponement = new Postponement(loader, { loadMs, random });
  }

  /**
   * @throws DelayedError when it was put off, UnrecoverableError for data that is not ours, Error when every
   * key failed
   */
  async process(job: Job<WarmJobData>, token: string | undefined): Promise<RefreshJobResult> {
    const { loader, clock, reports } = this.#parts;
    const data = parseWarmJob(job.data);
    if (!data) throw new UnrecoverableError(`not a warm-up's job: ${printValue(job.data)}`);
    if (data.loader !== loader.name) {
      const text = `a job of loader ${printValue(data.loader)} in the queue of "${loader.name}"`;
      throw new UnrecoverableError(text);
    }
    const warmed = await this.#warm(data);
    await this.#rearm(warmed);
    const counts = added(data, warmed);
    const again = warmed.filter((one) => one.kind === 'postponed');
    if (again.length > 0) {
      const dueAtMs = this.#dueAtMs(Math.max(...again.map(({ retryAfterMs }) => retryAfterMs)));
      await job.updateData({ ...data, ...counts, ...keysAgain(data, again) });
      // BullMQ's clock is the process's.
      await job.moveToDelayed(Date.now() + dueAtMs - clock.now(), token);
      throw new DelayedError();
    }
    await reports.add(loader, { runId: data.runId, jobId: job.id ?? '' }, counts);
    return toResult(counts, warmed);
  }

  async #warm(data: WarmJobData): Promise<readonly Warmed[]> {
    const { loader } = this.#parts;
    const warmKeys = data.keys.map((key, at) => ({ key, seenCreatedAtMs: data.seen[at] ?? 0 }));
    const batches = loader.loadMany ? [warmKeys] : warmKeys.map((one) => [one]);
    let postponed: Warmed | null = null;
    const all = await Promise.all(
      batches.map((batch) =>
        this.#underWay.run(async () => {
          // What holds one key up holds up the others: no need to lock each to find that out.
          if (postponed) return batch.map(({ key }) => ({ ...(postponed as Warmed), key }));
          const warmed = await this.#warmBatch(batch, data);
          postponed ??= warmed.find(isHeldUp) ?? null;
          return warmed;
        }),
      ),
    );
    return all.flat();
  }

  async #warmBatch(batch: readonly WarmKey[], data: WarmJobData): Promise<readonly Warmed[]> {
    const { loader, clock, loading } = this.#parts;
    const needless = this.#needless(data);
    if (needless) return batch.map(({ key }) => ({ kind: 'failed', key, error: needless }));
    return this.#warmLoad.run(batch, {
      loader,
      isFresh: (header: EntryHeader) =>
        !header.invalidated && isFresh(header, Math.max(clock.now(), data.freshUntilMs ?? 0)),
      liveUntilMs: data.untilMs,
      permit: { maxWaitMs: SHORT_PERMIT_WAIT_MS, as: 'warm' },
      inSlot: (load) => this.#calls.run(() => loading.run(load)),
    });
  }

  #needless(data: WarmJobData): Error | null {
    const { loader, clock } = this.#parts;
    if (data.version !== loader.version) {
      const what = `a job for version ${data.version} of loader "${loader.name}"`;
      return new EverwarmError('WARM_FAILED', `${what}, but this worker has ${loader.version}`);
    }
    if (clock.now() <= data.deadlineAtMs) return null;
    return new EverwarmError('WARM_FAILED', `loader "${loader.name}": the deadline has passed`);
  }

  #dueAtMs(retryAfterMs: number): number {
    const nowMs = this.#parts.clock.now();
    return this.#postponement.dueAtMs(Math.max(LEAST_DELAY_MS, retryAfterMs), nowMs);
  }

  /** Tracked keys are looked at when the new entry calls for it; a lost call only makes that look a needless one. */
  async #rearm(warmed: readonly Warmed[]): Promise<void> {
    const { loader, clock, fenced, tracker } = this.#parts;
    const nowMs = clock.now();
    const load = fenced.loadTime(loader.name);
    const rearmed = [];
    for (const one of warmed) {
      if (one.kind !== 'done' || one.expiresAtMs === null) continue;
      const { key, expiresAtMs } = one;
      const dueAtMs = lookAfterLandingMs(loader, { expiresAtMs, nowMs, load });
      rearmed.push({ key, dueAtMs, failure: null });
    }
    await tracker.rearm(rearmed).catch(() => undefined);
  }
}

type Counts = Pick<WarmJobData, 'done' | 'skipped' | 'failed'>;
type Postponed = Extract<Warmed, { kind: 'postponed' }>;

function isHeldUp(one: Warmed): one is Postponed {
  return one.kind === 'postponed' && one.retryAfterMs > 0;
}

function added({ done, skipped, failed }: Counts, warmed: readonly Warmed[]): Counts {
  const counts = { done, skipped, failed };
  for (const { kind } of warmed) if (kind !== 'postponed') counts[kind]++;
  return counts;
}

function keysAgain(
  data: WarmJobData,
  again: readonly Postponed[],
): Pick<WarmJobData, 'keys' | 'seen'> {
  const seen = new Map(data.keys.map((key, at) => [key, data.seen[at] ?? 0]));
  const keys = again.map(({ key }) => key);
  return { keys, seen: keys.map((key) => seen.get(key) ?? 0) };
}

function toResult({ done, skipped }: Counts, warmed: readonly Warmed[]): RefreshJobResult {
  const failed = warmed
    .filter((one) => one.kind === 'failed')
    .map(({ key, error }) => ({ key, error: messageOf(error) }));
  if (failed.length > 0 && done + skipped === 0) {
    throw everyKeyFailed(warmed);
  }
  return { refreshed: done, skipped, failed };
}
