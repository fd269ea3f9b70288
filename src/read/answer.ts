/** What a read found, before it is shown to the caller. */
export interface Answer {
  readonly value: unknown;
  readonly source: 'redis' | 'loader';
  /** `uncached`: computed for this read and not stored (nothing found, fenced off, Redis away). */
  readonly state: 'fresh' | 'stale' | 'uncached';
  /** When the value's load started and when it expires, epoch ms; 0 for `uncached`. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface Meta<R> {
  readonly value: R;
  /** `loader`: this read waited for the origin, by its own load or another's. */
  readonly source: 'redis' | 'loader';
  readonly state: 'fresh' | 'stale' | 'uncached';
  /** Milliseconds since the load of the value started; 0 for `uncached`. */
  readonly ageMs: number;
  /** Milliseconds until the value expires, negative after; 0 for `uncached`. */
  readonly ttlMs: number;
}

export function toMeta<R>(answer: Answer, nowMs: number): Meta<R> {
  const isStored = answer.state !== 'uncached';
  return {
    value: answer.value as R,
    source: answer.source,
    state: answer.state,
    ageMs: isStored ? Math.max(0, nowMs - answer.createdAtMs) : 0,
    ttlMs: isStored ? answer.expiresAtMs - nowMs : 0,
  };
}

export function uncached(value: unknown): Answer {
  return { value, source: 'loader', state: 'uncached', createdAtMs: 0, expiresAtMs: 0 };
}
