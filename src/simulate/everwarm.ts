import { LONGEST_LIFE_MS } from '../config/rules.ts';
import { claimMs, flushMs, idleMs, tickMs } from '../policy/cadence.ts';
import { isOverdue } from '../policy/freshness.ts';
import { halfLifeMs } from '../policy/heat.ts';
import { firstLookMs, leadMs, lookAheadMs } from '../policy/lead-time.ts';
import { type Smoothed, smooth } from '../policy/load-time.ts';
import { Headers } from './headers.ts';
import { type Begun, BY_READER, BY_WORKER, LoadsUnderWay, STEPPED_IN } from './loads-under-way.ts';
import { Planner, type PlannerSettings } from './planner.ts';
import type { Policy } from './policy.ts';
import { ReadCounter } from './read-counter.ts';
import type { Answer } from './score.ts';
import { TrackedKeys } from './tracked-keys.ts';
import type { Values } from './values.ts';

/*
 * The running system with its parts at hand instead of processes: one reader process, one scheduler,
 * workers that are always free. Reads are counted and sent as AccessRecorder does, ticks are timed as
 * TickLoop does, a tick does what LoaderScheduler does, and a landed refresh is re-armed as by Rearmer;
 * every decision is made by src/policy. What is left out: waits in the queue, failures, and sampling.
 */

export interface EverwarmSettings {
  /** Nominal, where lives vary. */
  readonly ttlMs: number;
  readonly livesVary: boolean;
  readonly flushIntervalMs: number;
  readonly tickIntervalMs: number;
  readonly claimTtlMs: number;
  readonly minLeadMs: number;
  readonly beta: number;
  readonly spread: number;
  readonly threshold: number;
  /** Null: the threshold stays as it is. */
  readonly wasteBudget: number | null;
}

const READS_TO_STEP_IN = 2;
const MAX_BACKGROUND_LOADS = 8;
/** When a worker that found the lock held looks again. */
const LOOK_AGAIN_MS = 1_000;

export class Everwarm implements Policy {
  readonly #values: Values;
  readonly #keys: readonly string[];
  readonly #settings: EverwarmSettings;
  readonly #tickMs: number;
  readonly #planner: Planner;
  readonly #idleMs: number;
  readonly #headers: Headers;
  readonly #tracked: TrackedKeys;
  readonly #counter: ReadCounter;
  readonly #loads: LoadsUnderWay;
  readonly #waiters: Uint32Array;
  readonly #reloadedAtMs: Float64Array;
  #tickAtMs = 0;
  #backgroundLoads = 0;
  /** As workers have seen it, and as the recorder was last told by an entry. */
  #workerLoad: Smoothed | null = null;
  #readerLoad: Smoothed | null = null;

  /** @param keys - their texts, by index */
  constructor(values: Values, keys: readonly string[], settings: EverwarmSettings) {
    const { ttlMs } = settings;
    const count = keys.length;
    this.#values = values;
    this.#keys = keys;
    this.#settings = settings;
    this.#tickMs = tickMs(settings.tickIntervalMs, ttlMs);
    this.#idleMs = idleMs(this.#tickMs, ttlMs);
    const halfLife = halfLifeMs(ttlMs);
    this.#planner = new Planner(planning(settings, halfLife, this.#tickMs));
    this.#headers = new Headers(count, ttlMs);
    this.#tracked = new TrackedKeys(count, halfLife);
    this.#counter = new ReadCounter(count, flushMs(settings.flushIntervalMs, ttlMs));
    this.#loads = new LoadsUnderWay(count);
    this.#waiters = new Uint32Array(count);
    this.#reloadedAtMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  }

  read(key: number, nowMs: number): Answer {
    this.#advance(nowMs);
    const wasLoading = this.#values.isLoading(key);
    const answer = this.#values.read(key, nowMs);
    if (answer === 'fresh') {
      this.#countHit(key, nowMs);
      return answer;
    }
    this.#waiters[key] = (this.#waiters[key] as number) + 1;
    if (!wasLoading)
      this.#begun(key, nowMs, { by: BY_READER, logHeat: Number.NaN, unreadLives: 0 });
    return answer;
  }

  finish(endMs: number): void {
    this.#advance(endMs);
    this.#values.finish(endMs);
  }

  /** Lets happen what does up to now, in its order. */
  #advance(nowMs: number): void {
    for (;;) {
      const landsAtMs = this.#loads.nextLandingMs;
      const { flushAtMs } = this.#counter;
      const tickAtMs = this.#tracked.hasDues ? this.#tickAtMs : Number.POSITIVE_INFINITY;
      const atMs = Math.min(landsAtMs, flushAtMs, tickAtMs);
      if (atMs > nowMs) return;
      if (atMs === landsAtMs) this.#land(this.#loads.land(), atMs);
      else if (atMs === flushAtMs) this.#flush(atMs);
      else this.#tick(atMs);
    }
  }

  #countHit(key: number, nowMs: number): void {
    const expiresAtMs = this.#values.expiresAtMs(key);
    const reads = this.#counter.count(key, { nowMs, reads: 1, expiresAtMs });
    if (reads === 1) this.#readerLoad = this.#headers.load(key);
    if (reads < READS_TO_STEP_IN) return;
    const isLate = isOverdue({ expiresAtMs, load: this.#headers.load(key) }, nowMs);
    if (!isLate || this.#backgroundLoads >= MAX_BACKGROUND_LOADS) return;
    if (this.#values.isLoading(key)) return;
    this.#backgroundLoads++;
    this.#refresh(key, nowMs, { by: STEPPED_IN, logHeat: Number.NaN, unreadLives: 0 });
  }

  #flush(nowMs: number): void {
    // A tick that found nothing due sleeps for so long, again and again.
    const missed = Math.ceil((nowMs - this.#tickAtMs) / this.#idleMs);
    if (!this.#tracked.hasDues && missed > 0) this.#tickAtMs += missed * this.#idleMs;
    const lookAhead = this.#lookAheadMs();
    this.#counter.flush((key, reads, expiresAtMs) => {
      this.#tracked.record(key, reads, { nowMs, expiresAtMs, lookAheadMs: lookAhead });
    });
  }

  #lookAheadMs(): number {
    const { ttlMs, livesVary, minLeadMs, spread } = this.#settings;
    if (livesVary) return LONGEST_LIFE_MS;
    const lead = leadMs({ load: this.#readerLoad, wait: null, tickMs: 0, ttlMs, minLeadMs });
    return lookAheadMs({ ttlMs, leadMs: lead, spread });
  }

  #tick(nowMs: number): void {
    const { ttlMs, claimTtlMs } = this.#settings;
    const tickMs = this.#tickMs;
    const lead = leadMs({ load: this.#workerLoad, wait: null, tickMs, ttlMs, minLeadMs: 0 });
    const untilMs = nowMs + claimMs(claimTtlMs, lead);
    this.#planner.startAt(nowMs);
    this.#tracked.claim(nowMs, untilMs, (key, logHeat) => this.#look(key, logHeat, nowMs));
    const nextMs = this.#tracked.nextDueAtMs - nowMs;
    this.#tickAtMs = nowMs + Math.min(this.#idleMs, Math.max(tickMs, nextMs));
  }

  #look(key: number, logHeat: number | null, nowMs: number): void {
    const header = this.#headers.get(key, nowMs);
    const planned = this.#planner.plan({
      key: this.#keys[key] as string,
      header,
      logHeat,
      nowMs,
      trackerAgeMs: this.#tracked.ageMs(nowMs),
      loaderLoad: this.#workerLoad,
      reloadedWithinTtl: nowMs - (this.#reloadedAtMs[key] as number) < this.#settings.ttlMs,
    });
    if (planned.kind === 'drop') this.#tracked.setDue(key, null);
    else if (planned.kind === 'wait') this.#tracked.setDue(key, Math.floor(planned.untilMs));
    else {
      if (header === null) this.#reloadedAtMs[key] = nowMs;
      if (this.#values.isLoading(key)) this.#lookLater(key, nowMs);
      else {
        const { unreadLives } = planned;
        this.#refresh(key, nowMs, { by: BY_WORKER, logHeat: logHeat ?? Number.NaN, unreadLives });
      }
    }
  }

  #lookLater(key: number, nowMs: number): void {
    const pauseMs = Math.min(LOOK_AGAIN_MS, this.#settings.ttlMs / 10);
    this.#tracked.setDue(key, Math.floor(nowMs + pauseMs));
  }

  #refresh(key: number, nowMs: number, begun: Begun): void {
    this.#values.begin(key, nowMs, 'refresh');
    this.#begun(key, nowMs, begun);
  }

  #begun(key: number, nowMs: number, begun: Begun): void {
    const landsAtMs = nowMs + this.#values.loadMs(key);
    this.#loads.begin(key, { beganAtMs: nowMs, landsAtMs, ...begun });
  }

  #land(key: number, nowMs: number): void {
    this.#values.settle(key, nowMs);
    const expiresAtMs = this.#values.expiresAtMs(key);
    const loadMs = this.#values.loadMs(key);
    const { by, beganAtMs, logHeat, unreadLives } = this.#loads.get(key);
    const createdAtMs = beganAtMs;
    this.#headers.commit(key, { createdAtMs, expiresAtMs, loadMs, logHeat, unreadLives });
    const reads = this.#waiters[key] as number;
    this.#waiters[key] = 0;
    if (reads > 0) this.#counter.count(key, { nowMs, reads, expiresAtMs });
    if (by === STEPPED_IN) this.#backgroundLoads--;
    if (by === BY_WORKER) this.#rearm(key, { nowMs, loadMs, expiresAtMs });
  }

  #rearm(
    key: number,
    {
      nowMs,
      loadMs,
      expiresAtMs,
    }: { readonly nowMs: number; readonly loadMs: number; readonly expiresAtMs: number },
  ): void {
    const { livesVary, minLeadMs, spread } = this.#settings;
    this.#workerLoad = smooth(this.#workerLoad, loadMs);
    const ttlMs = livesVary ? Math.max(0, expiresAtMs - nowMs) : this.#settings.ttlMs;
    const lead = leadMs({ load: this.#workerLoad, wait: null, tickMs: 0, ttlMs, minLeadMs });
    this.#tracked.setDue(key, firstLookMs({ expiresAtMs, ttlMs, leadMs: lead, spread, nowMs }));
  }
}

function planning(settings: EverwarmSettings, halfLifeMs: number, tickMs: number): PlannerSettings {
  const { ttlMs, livesVary, minLeadMs, beta, spread, threshold, wasteBudget } = settings;
  // As long as staleIfError is what it is unless told.
  const keptExpiredMs = ttlMs;
  const plan = { ttlMs, livesVary, halfLifeMs, tickMs, minLeadMs, beta, spread, keptExpiredMs };
  return { plan, threshold, wasteBudget };
}
