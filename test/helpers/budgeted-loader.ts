import { defineLoader, type LoadReason, type OriginOptions } from '../../src/index.ts';

export interface Call {
  readonly keys: readonly string[];
  readonly reason: LoadReason;
  readonly atMs: number;
}

export interface Budgeted {
  readonly origin: OriginOptions;
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly loadTimeoutMs?: number;
  /** A key that `loadMany` answers an Error for. */
  readonly badKey?: string;
  /** What one call does: it may wait, and throw. */
  readonly call?: (keys: readonly string[]) => Promise<void> | void;
}

/** A loader with a budget that notes its calls, and how many there were at a time. */
export function budgeted({ origin, call, badKey, ...times }: Budgeted) {
  const { ttlMs = 60_000, staleMs = 0, loadTimeoutMs = 30_000 } = times;
  const calls: Call[] = [];
  const atATime = { now: 0, most: 0 };
  const called = async (keys: readonly string[], reason: LoadReason): Promise<string[]> => {
    calls.push({ keys, reason, atMs: performance.now() });
    atATime.now++;
    atATime.most = Math.max(atATime.most, atATime.now);
    try {
      await call?.(keys);
      return keys.map((key) => `${key} loaded`);
    } finally {
      atATime.now--;
    }
  };
  const definition = {
    name: 'item',
    ttl: ttlMs,
    loadTimeout: loadTimeoutMs,
    staleIfError: staleMs,
    origin,
    load: async (key: string, { reason }: { reason: LoadReason }) =>
      (await called([key], reason))[0] ?? '',
  };
  return {
    loader: defineLoader(definition),
    many: defineLoader({
      ...definition,
      loadMany: async (keys: readonly string[], { reason }) => {
        const values = await called(keys, reason);
        return values.map((value, at) => (keys[at] === badKey ? new Error('bad key') : value));
      },
    }),
    calls,
    atATime,
  };
}
