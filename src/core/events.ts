import type { EverwarmError } from './errors.ts';
import type { Invalidation } from './invalidation.ts';

/** What was done for one key, as far as everybody may know it: never the value. */
export interface KeyEvent {
  readonly loader: string;
  readonly key: string;
}

/** Why a value was answered after its time. */
export type StaleReason =
  | 'revalidating'
  | 'invalidated'
  | 'load-failed'
  | 'load-slow'
  | 'lock-held';
export interface InvalidationEvent {
  readonly kind: Invalidation['kind'];
  /** Null: of several loaders. */
  readonly loader: string | null;
  readonly soft: boolean;
}

/** A run of a warm-up plan. */
export interface RunEvent {
  readonly plan: string;
  readonly runId: string;
}

/** What became of the keys of a warm-up's run. */
export interface RunCounts {
  /** Keys loaded. */
  readonly done: number;
  /** Keys that were fresh. */
  readonly skipped: number;
  /** Keys not loaded, for all that was tried. */
  readonly failed: number;
  /** Params that make no key. */
  readonly refused: number;
}

export type LoadReason = 'miss' | 'refresh' | 'warm';

/** Every event of every role: `noun:past-participle`, one emit per outcome. */
export interface EventMap {
  'entry:hit': KeyEvent & { readonly source: 'memory' | 'redis' };
  /** A value was answered though it had expired or was invalidated softly. */
  'stale:served': KeyEvent & { readonly why: StaleReason };
  'entry:missed': KeyEvent & {
    readonly cause: 'absent' | 'expired' | 'unreadable' | 'mismatched';
  };
  'load:completed': KeyEvent & {
    readonly reason: LoadReason;
    readonly loadMs: number;
    readonly stored: boolean;
  };
  'load:failed': KeyEvent & {
    readonly reason: LoadReason;
    readonly loadMs: number;
    readonly error: unknown;
  };
  /** A loaded value could not be written: not packable, or Redis failed. Readers got it all the same. */
  'store:failed': KeyEvent & { readonly error: unknown };
  /** What was loaded or read is not what the loader's schema describes: paths and the validator's messages. */
  'schema:mismatched': KeyEvent & { readonly at: 'load' | 'read'; readonly issues: string };
  'lock:lost': KeyEvent;
  /** One per call, when Redis has confirmed it. */
  'invalidation:completed': InvalidationEvent & { readonly count: number };
  /** What nobody waits for: its repetition after `again` or a reconnect, or the hook. */
  'invalidation:failed': InvalidationEvent & {
    readonly during: 'again' | 'reconnect' | 'hook';
    readonly error: unknown;
  };
  'reads:dropped': { readonly loader: string; readonly keys: number; readonly error: unknown };
  'tick:completed': {
    readonly loader: string;
    readonly claimed: number;
    readonly enqueued: number;
    readonly shadowed: number;
    readonly waiting: number;
    readonly dropped: number;
    readonly tickMs: number;
  };
  /** New keys are not tracked for a while, and `trimmed` of the coldest were forgotten. */
  'tracker:limited': {
    readonly loader: string;
    readonly why: 'bytes' | 'memory';
    readonly keys: number;
    readonly trimmed: number;
    readonly bytes: number | null;
    readonly usedShare: number;
  };
  /** In shadow mode: what would be refreshed now. */
  'refresh:planned': KeyEvent & {
    readonly why: 'expiring' | 'missing' | 'invalidated';
    readonly valueReads: number;
    readonly expiresAtMs: number;
  };
  'refresh:completed': KeyEvent & { readonly loadMs: number; readonly leadMs: number };
  'refresh:skipped': KeyEvent & {
    readonly why:
      | 'fresh'
      | 'held'
      | 'late'
      | 'superseded'
      | 'not-found'
      | 'other-version'
      | 'paused'
      | 'limited'
      | 'origin-open'
      | 'redis-away';
  };
  'refresh:failed': KeyEvent & { readonly error: unknown; readonly retryAtMs: number };
  /** A run of a plan begins, or goes on elsewhere after a crash or a deploy: then `position` is not 0. */
  'warmup:started': RunEvent & { readonly position: number };
  'warmup:completed': RunEvent & RunCounts & { readonly tookMs: number };
  /** The run before is still under way, or nobody could start this one in time. */
  'warmup:skipped': RunEvent & { readonly why: 'overlap' | 'late' };
  /** Its keys could not be had, or Redis failed; what was warmed stays. */
  'warmup:failed': RunEvent & { readonly error: unknown };
  /** Params that make no key; the others are warmed. */
  'warmup:refused': RunEvent & { readonly error: unknown };
  /** A warm-up could not store a key; the old entry stays. */
  'warm:failed': KeyEvent & { readonly error: unknown };
  /** No worker has taken any of the jobs of a warm-up's run for so long. */
  'warm:stalled': {
    readonly loader: string;
    readonly runId: string;
    readonly jobs: number;
    readonly silentMs: number;
  };
  /** The origin failed too often: nobody calls it before `retryAtMs`, but for one probe then. Told by the process whose call it was. */
  'origin:opened': { readonly loader: string; readonly retryAtMs: number };
  /** A probe has succeeded: calls are let through again, more and more. */
  'origin:closed': { readonly loader: string };
  /** An error has asked for a pause: nobody calls it before `retryAtMs`. */
  'origin:paused': { readonly loader: string; readonly retryAtMs: number };
  /** One of the failures in a row of a call, or of a connection: not one a read. */
  'redis:failed': { readonly role: 'cache' | 'queue'; readonly error: unknown };
  /** Calls to this server, on a cluster to this node of it ('' else), fail at once but for a probe now and then. */
  'breaker:opened': { readonly role: 'cache' | 'queue'; readonly node: string };
  'breaker:closed': { readonly role: 'cache' | 'queue'; readonly node: string };
  /** A request to the dashboard ended in a status of 500 or more. */
  'dashboard:failed': {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly error: unknown;
  };
  'server:unsuitable': { readonly role: 'cache' | 'queue'; readonly error: EverwarmError };
}

export type EventName = keyof EventMap;
export type Listener<N extends EventName> = (event: EventMap[N]) => void;
type AnyListener = (event: never) => void;

/** A typed emitter whose listeners cannot hurt the emitter: what they throw becomes a process warning. */
export class Events {
  readonly #listeners = new Map<EventName, Set<AnyListener>>();

  /** Subscribes; the answer unsubscribes. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const listeners = this.#of(name);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Who listens, now and later: a hot path looks whether it is empty, and skips building the event. */
  listeners(name: EventName): ReadonlySet<unknown> {
    return this.#of(name);
  }

  emit<N extends EventName>(name: N, event: EventMap[N]): void {
    const listeners = this.#listeners.get(name);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        const answer: unknown = (listener as Listener<N>)(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => warn(name, error));
      } catch (error) {
        warn(name, error);
      }
    }
  }

  #of(name: EventName): Set<AnyListener> {
    const known = this.#listeners.get(name);
    if (known) return known;
    const listeners = new Set<AnyListener>();
    this.#listeners.set(name, listeners);
    return listeners;
  }
}

function warn(name: EventName, error: unknown): void {
  process.emitWarning(`a listener of "${name}" threw: ${String(error)}`, 'EverwarmWarning');
}
