import { randomBytes } from 'node:crypto';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import type { WarmKey } from '../load/warm-load.ts';
import { isFresh } from '../policy/freshness.ts';
import { type WarmJob, WarmQueue } from '../queue/warm-queue.ts';
import type { EntryHeader } from '../redis/entry.ts';
import { WarmReports } from '../redis/warm-reports.ts';
import { type KeyChunk, KeyChunks } from './key-chunks.ts';
import { packWarmKeys } from './pack-warm-keys.ts';
import { Persistence } from './persistence.ts';
import { ReportCollector } from './report-collector.ts';
import { type Stretch, WarmLedger } from './warm-ledger.ts';
import type { WarmProgress } from './warm-progress.ts';
import type { WarmRequest, WarmRunOptions, WarmRunParts } from './warm-request.ts';

/*
 * Two loops: one reads keys and headers, and enqueues what is not fresh as long as there is room; the other
 * takes in what workers report, which makes room. The attempt ends when the first has no more keys and
 * nothing is out, when either fails, or at the abort; then its waiting jobs leave the queue.
 * It remembers jobs, not keys. After a crash the next attempt goes on from the last position told: what
 * landed since then is fresh by now, and skipped.
 */

const CHUNK = 1_000;
const PACED_CHUNK_MS = 1_000;
const MOST_JOBS = 25;
const STALL_MS = 30_000;
const DAY_MS = 24 * 3_600_000;
const TELL_MS = 100;
/** How long an end waits for a server to take the jobs back; what stays is loaded, or removed by the next attempt. */
const REMOVE_MS = 2_000;

/** One attempt of a run. */
export class WarmAttempt {
  readonly #parts: WarmRunParts;
  readonly #request: WarmRequest;
  readonly #options: WarmRunOptions;
  readonly #queue: WarmQueue;
  readonly #chunks: KeyChunks;
  readonly #ledger: WarmLedger;
  readonly #collector: ReportCollector;
  readonly #persistence = new Persistence();
  readonly #mark = randomBytes(6).toString('hex');
  readonly #maxJobs: number;
  #jobs = 0;
  #enqueuing: { readonly ids: readonly string[]; readonly work: Promise<void> } | null = null;
  #told = { atMs: 0, finished: 0 };

  constructor(parts: WarmRunParts, request: WarmRequest, options: WarmRunOptions) {
    const { clock, events, keys, queue, stallMs = STALL_MS, maxJobs = MOST_JOBS } = parts;
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#maxJobs = maxJobs;
    const { loader, runId } = request;
    const { name, version } = loader;
    this.#queue = new WarmQueue(queue, keys, { name, version, tracing: parts.tracing ?? null });
    this.#chunks = new KeyChunks(request.keys);
    this.#ledger = new WarmLedger(clock, request);
    this.#collector = new ReportCollector({
      run: { loader, runId },
      queue: this.#queue,
      reports: new WarmReports(queue, keys),
      ledger: this.#ledger,
      persistence: this.#persistence,
      clock,
      events,
      stallMs,
      onProgress: () => this.#tell(),
    });
  }

  async run(): Promise<WarmProgress> {
    const { signal } = this.#options;
    const producing = this.#produce();
    const collecting = this.#collector.run();
    try {
      await Promise.race([producing, collecting, this.#persistence.aborted(signal)]);
    } finally {
      this.#persistence.end();
      this.#chunks.close();
      producing.catch(() => undefined); // The first failure is the one told.
      await settlesWithin(collecting, REMOVE_MS);
      await settlesWithin(this.#removeWaiting(), REMOVE_MS);
      await settlesWithin(this.#queue.close(), REMOVE_MS);
      this.#tell(0);
    }
    return this.#ledger.progress;
  }

  async #produce(): Promise<void> {
    await this.#persistence.try(() => this.#removeLeftOver());
    const startedAtMs = this.#parts.clock.now();
    while (!this.#persistence.isOver) {
      const from = Math.max(this.#chunks.position, this.#request.skip);
      const chunk = await this.#nextChunk();
      if (chunk === null) break;
      await this.#persistence.sleep(
        this.#startsAfterMs(from) + startedAtMs - this.#parts.clock.now(),
      );
      await this.#enqueue(chunk);
    }
    await this.#collector.untilAtMost(0);
  }

  async #nextChunk(): Promise<KeyChunk | null> {
    const { loader, runId, skip } = this.#request;
    try {
      return await this.#chunks.next(this.#chunkSize(), skip);
    } catch (cause) {
      const which = `warm-up run "${runId}" of loader "${loader.name}"`;
      const message = `${which}: its keys cannot be read on after ${this.#chunks.position}: ${messageOf(cause)}`;
      throw new EverwarmError('WARM_FAILED', message, { cause });
    }
  }

  async #enqueue(chunk: KeyChunk): Promise<void> {
    const stale = await this.#stale(chunk.keys);
    const jobs = packWarmKeys(stale).map((warmKeys) => this.#job(warmKeys));
    const skipped = chunk.keys.length - stale.length;
    const stretch = this.#ledger.begin(chunk.endsAt, { skipped, jobs: jobs.length });
    this.#tell();
    for (let from = 0; from < jobs.length && !this.#persistence.isOver; ) {
      // Half at a time: each call has its price.
      await this.#collector.untilAtMost(Math.floor(this.#maxJobs / 2));
      const room = this.#maxJobs - this.#ledger.jobsOut;
      await this.#send(stretch, jobs.slice(from, from + room));
      from += room;
    }
  }

  async #send(stretch: Stretch, jobs: readonly WarmJob[]): Promise<void> {
    if (this.#persistence.isOver) return;
    // Its jobs have names: sent again, because nobody knows if they arrived, they are still there once.
    const send = (): Promise<void> => this.#queue.enqueue(jobs, this.#request.priority);
    const work = this.#persistence.try(send);
    this.#enqueuing = { ids: jobs.map(({ id }) => id), work };
    await work;
    this.#ledger.add(stretch, new Map(jobs.map(({ id, data }) => [id, data.keys.length])));
    this.#enqueuing = null;
  }

  /** Those that are not fresh enough. */
  async #stale(texts: readonly string[]): Promise<WarmKey[]> {
    const { keys, store, clock } = this.#parts;
    const { loader, freshUntilMs } = this.#request;
    const entryKeys = texts.map((key) => keys.entry(loader, key));
    const headers = await this.#persistence.try(() => store.headers(entryKeys));
    const untilMs = Math.max(clock.now(), freshUntilMs ?? 0);
    const isEnough = (header: EntryHeader | null | undefined): boolean =>
      !!header && !header.invalidated && isFresh(header, untilMs);
    return texts
      .map((key, at) => ({ key, header: headers?.[at] }))
      .filter(({ header }) => !isEnough(header))
      .map(({ key, header }) => ({ key, seenCreatedAtMs: header?.createdAtMs ?? 0 }));
  }

  #job(warmKeys: readonly WarmKey[]): WarmJob {
    const { loader, runId, freshUntilMs, untilMs } = this.#request;
    const nowMs = Math.floor(this.#parts.clock.now());
    return {
      id: WarmQueue.idOf(runId, this.#mark, this.#jobs++),
      data: {
        loader: loader.name,
        version: loader.version,
        reason: 'warm',
        runId,
        enqueuedAtMs: nowMs,
        // What should have been warm by then is of no use any more.
        deadlineAtMs: untilMs !== null && untilMs > nowMs ? untilMs : nowMs + DAY_MS,
        freshUntilMs,
        untilMs,
        keys: warmKeys.map(({ key }) => key),
        seen: warmKeys.map(({ seenCreatedAtMs }) => seenCreatedAtMs),
        done: 0,
        skipped: 0,
        failed: 0,
      },
    };
  }

  /** Keys a millisecond; null: as fast as allowed. */
  get #pace(): number | null {
    const { spreadOverMs, total } = this.#request;
    return spreadOverMs > 0 && total !== null && total > 0 ? total / spreadOverMs : null;
  }

  #chunkSize(): number {
    if (this.#pace === null) return CHUNK;
    return Math.min(CHUNK, Math.max(1, Math.ceil(this.#pace * PACED_CHUNK_MS)));
  }

  #startsAfterMs(position: number): number {
    return this.#pace === null ? 0 : (position - this.#request.skip) / this.#pace;
  }

  async #removeLeftOver(): Promise<void> {
    const { runId } = this.#request;
    await this.#queue.remove(await this.#queue.leftOver(runId));
  }

  async #removeWaiting(): Promise<void> {
    await this.#enqueuing?.work.catch(() => undefined);
    const ids = [...this.#ledger.jobIds, ...(this.#enqueuing?.ids ?? [])];
    if (ids.length > 0) await this.#queue.remove(ids);
  }

  #tell(atLeastAfterMs = TELL_MS): void {
    const nowMs = this.#parts.clock.now();
    const { finished } = this.#ledger;
    if (finished === this.#told.finished || nowMs - this.#told.atMs < atLeastAfterMs) return;
    this.#told = { finished, atMs: nowMs };
    this.#options.onProgress?.(this.#ledger.progress);
  }
}
