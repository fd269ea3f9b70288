import { UnrecoverableError } from 'bullmq';
import { messageOf, printValue } from '../core/errors.ts';
import { Slots } from '../core/slots.ts';
import type { LoaderLoads } from '../load/load-counts.ts';
import type { LoadRef, LockedRef } from '../load/locked-ref.ts';
import { SHORT_PERMIT_WAIT_MS } from '../load/permits.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';
import type { RefreshPause } from '../redis/refresh-pause.ts';
import { Postponement } from './postponement.ts';
import { KEYS_PER_SLOT, type ProcessorParts } from './processor-parts.ts';
import { Rearmer } from './rearmer.ts';
import {
  everyKeyFailed,
  keysOf,
  type RefreshJobData,
  type RefreshJobResult,
  type RefreshKey,
} from './refresh-job.ts';
import {
  type KeyOutcome,
  outcomeOfError,
  outcomeOfLoad,
  outcomeOfReply,
  report,
  type SkipReason,
  skipped,
} from './refresh-outcome.ts';
import type { WorkerTimes } from './worker-times.ts';

export interface RefreshProcessorParts extends ProcessorParts {
  readonly stats: LoaderStatsStore;
  readonly times: WorkerTimes;
  readonly loads: LoaderLoads;
  readonly pause: RefreshPause;
}

/** Runs refresh jobs of one loader: lock → load → fenced commit for each key, then ends its claim. */
export class RefreshProcessor {
  readonly #parts: RefreshProcessorParts;
  /** Keys under way: some are locked or committed while others load. */
  readonly #underWay: Slots;
  readonly #postponement: Postponement;

  constructor(parts: RefreshProcessorParts) {
    this.#parts = parts;
    this.#underWay = new Slots(KEYS_PER_SLOT * parts.concurrency);
    const { loader, fenced, random } = parts;
    const loadMs = (): number => fenced.loadTime(loader.name)?.meanMs ?? 0;
    this.#postponement = new Postponement(loader, { loadMs, random });
  }

  /** @throws UnrecoverableError for data that is not ours, Error when every key failed */
  async process(data: RefreshJobData): Promise<RefreshJobResult> {
    const { loader, stats, fenced } = this.#parts;
    const keys = keysOf(data);
    if (!keys) throw new UnrecoverableError(`not a refresh job: ${printValue(data)}`);
    if (data.loader !== loader.name) {
      const text = `a job of loader ${printValue(data.loader)} in the queue of "${loader.name}"`;
      throw new UnrecoverableError(text);
    }
    const [attempts, isPaused] = await Promise.all([this.#attempts(keys), this.#isPaused()]);
    const rearmer = new Rearmer({
      ...this.#parts,
      attempts: byKey(keys, attempts),
      postponement: this.#postponement,
      loadTime: () => fenced.loadTime(loader.name),
    });
    try {
      const batches = loader.loadMany ? [keys] : keys.map((key) => [key]);
      const outcomes = await Promise.all(
        batches.map((batch, at) =>
          this.#underWay.run(async () => {
            const attempt = 1 + (loader.loadMany ? Math.max(...attempts) : (attempts[at] ?? 0));
            const done = await this.#refresh(batch, data, { attempt, isPaused });
            rearmer.add(done);
            return done;
          }),
        ),
      );
      return toResult(outcomes.flat());
    } finally {
      // What was loaded is stored: a lost count must not make the job a failed one.
      const counted = stats.addFinished(keys.length).catch(() => undefined);
      await Promise.all([rearmer.flush(), counted]);
    }
  }

  /** Failed refreshes in a row; none where nobody can tell. */
  #attempts(keys: readonly RefreshKey[]): Promise<readonly number[]> {
    const texts = keys.map(({ key }) => key);
    return this.#parts.tracker.failedAttempts(texts).catch(() => texts.map(() => 0));
  }

  /** Not where nobody can tell: a pause is told by the server that jobs come from. */
  #isPaused(): Promise<boolean> {
    const since = this.#parts.pause.sinceAtMs();
    return since.then((sinceAtMs) => sinceAtMs !== null).catch(() => false);
  }

  async #refresh(
    keys: readonly RefreshKey[],
    data: RefreshJobData,
    { attempt, isPaused }: { readonly attempt: number; readonly isPaused: boolean },
  ): Promise<KeyOutcome[]> {
    const { fenced, clock, times } = this.#parts;
    const nowMs = clock.now();
    times.observeWait(nowMs - data.enqueuedAtMs, nowMs);
    const token = fenced.newToken();
    const needless = this.#needless(data, nowMs) ?? (isPaused ? 'paused' : null);
    const outcomes = needless ? keys.map(({ key }) => skipped(key, needless)) : [];
    const locked = needless ? [] : await this.#acquire(keys, token, outcomes);
    if (locked.length > 0) {
      const results = await fenced.run(locked, {
        reason: 'refresh',
        attempt,
        permit: {
          maxWaitMs: Math.max(0, Math.min(SHORT_PERMIT_WAIT_MS, data.deadlineAtMs - clock.now())),
          as: 'refresh',
        },
        inSlot: (load) => this.#parts.loading.run(load),
      });
      const landedAtMs = clock.now();
      for (const [at, one] of locked.entries()) {
        const result = results[at];
        if (result) outcomes.push(outcomeOfLoad(one, result, landedAtMs));
      }
    }
    for (const outcome of outcomes) this.#report(outcome);
    return outcomes;
  }

  #report(outcome: KeyOutcome): void {
    const { loader, loads, events } = this.#parts;
    if (outcome.kind === 'refreshed') loads.addLanded(outcome.leadMs);
    report(outcome, loader, events);
  }

  #needless(data: RefreshJobData, nowMs: number): SkipReason | null {
    if (data.version !== this.#parts.loader.version) return 'other-version';
    return nowMs > data.deadlineAtMs ? 'late' : null;
  }

  /** Asks for the keys' locks; adds what became of those that are not to be had. */
  async #acquire(
    refreshKeys: readonly RefreshKey[],
    token: string,
    outcomes: KeyOutcome[],
  ): Promise<readonly LockedRef[]> {
    const { loader, keys, fenced, clock } = this.#parts;
    const refs = refreshKeys.map(({ key }): LoadRef => {
      const entryKey = keys.entry(loader, key);
      return { loader, key, entryKey, lockKey: keys.lock(entryKey) };
    });
    const seen = refreshKeys.map(({ seenCreatedAtMs }) => seenCreatedAtMs);
    const replies = await fenced.acquireAll(refs, { token, waitingSinceMs: clock.now() }, seen);
    const locked: LockedRef[] = [];
    for (const [at, reply] of replies.entries()) {
      const { key, logHeat, unreadLives } = refreshKeys[at] as RefreshKey;
      const ref = refs[at] as LoadRef;
      if (reply.kind === 'unknown') outcomes.push(outcomeOfError(key, reply.error));
      else if (reply.kind !== 'acquired') outcomes.push(outcomeOfReply(key, reply));
      else {
        const { previous, etag } = reply;
        locked.push({ ref, token, previous, etag, logHeat, unreadLives });
      }
    }
    return locked;
  }
}

function byKey(keys: readonly RefreshKey[], attempts: readonly number[]): Map<string, number> {
  return new Map(keys.map(({ key }, at) => [key, attempts[at] ?? 0]));
}

function toResult(outcomes: readonly KeyOutcome[]): RefreshJobResult {
  const failed = outcomes
    .filter((outcome) => outcome.kind === 'failed')
    .map(({ key, error }) => ({ key, error: messageOf(error) }));
  if (failed.length > 0 && failed.length === outcomes.length) {
    throw everyKeyFailed(outcomes);
  }
  const refreshed = outcomes.filter(({ kind }) => kind === 'refreshed').length;
  return { refreshed, skipped: outcomes.length - refreshed - failed.length, failed };
}
