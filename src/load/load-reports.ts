import type { Events, LoadReason } from '../core/events.ts';
import { SchemaMismatch } from '../loaders/check-with.ts';
import { type Smoothed, smooth } from '../policy/load-time.ts';
import { LoadCounts } from './load-counts.ts';
import type { LoadResult } from './load-result.ts';
import type { LoadRef } from './locked-ref.ts';

/** Tells how loads ended, one event each, counts them, and remembers how long they took. */
export class LoadReports {
  readonly #events: Events;
  readonly #counts: LoadCounts;
  readonly #loadTimes = new Map<string, Smoothed>();

  constructor(events: Events, counts: LoadCounts = new LoadCounts()) {
    this.#events = events;
    this.#counts = counts;
  }

  /** Smoothed load time of a loader as seen by this process. */
  loadTime(loader: string): Smoothed | null {
    return this.#loadTimes.get(loader) ?? null;
  }

  report(refs: readonly LoadRef[], results: readonly LoadResult[], reason: LoadReason): void {
    for (const [at, { loader, key }] of refs.entries()) {
      const result = results[at];
      if (result) this.#reportOne({ loader: loader.name, key }, result, reason);
    }
  }

  #reportOne(
    about: { readonly loader: string; readonly key: string },
    result: LoadResult,
    reason: LoadReason,
  ): void {
    const { loadMs } = result;
    if (result.kind !== 'limited') this.#counts.of(about.loader).loads++;
    // Without a permit nothing was tried that nobody waits for: its job reports it; a reader's own refresh goes unsaid.
    if (result.kind === 'limited' && reason !== 'miss') return;
    if ('error' in result) {
      const { cause } = result.error;
      if (cause instanceof SchemaMismatch) {
        this.#events.emit('schema:mismatched', { at: 'load', issues: cause.issues, ...about });
      }
      this.#events.emit('load:failed', { reason, loadMs, error: result.error, ...about });
      return;
    }
    this.#loadTimes.set(about.loader, smooth(this.loadTime(about.loader), loadMs));
    const stored = result.kind === 'loaded' && result.stored !== null;
    if (result.kind === 'loaded' && result.unstored?.why === 'failed') {
      this.#events.emit('store:failed', { error: result.unstored.error, ...about });
    }
    if (this.#events.listeners('load:completed').size === 0) return;
    this.#events.emit('load:completed', { reason, loadMs, stored, ...about });
  }
}
