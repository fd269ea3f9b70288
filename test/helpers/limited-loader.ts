import { defineLoader } from '../../src/index.ts';

export interface Limited {
  readonly max?: number;
  readonly perMs?: number;
  readonly loadTimeoutMs?: number;
  readonly loadMs?: number;
  readonly ttlMs?: number;
  readonly staleMs?: number;
}

/** A loader with a limit that notes when it was called. */
export function limited(options: Limited = {}) {
  const { max = 1, perMs = 600, loadTimeoutMs = 30_000, loadMs = 0, ttlMs = 60_000 } = options;
  const { staleMs = ttlMs } = options;
  const calls: { readonly keys: readonly string[]; readonly atMs: number }[] = [];
  const called = async (keys: readonly string[]): Promise<string[]> => {
    calls.push({ keys, atMs: performance.now() });
    const n = calls.length;
    if (loadMs > 0) await new Promise((resolve) => setTimeout(resolve, loadMs));
    return keys.map((key) => `${key} ${n}`);
  };
  const definition = {
    name: 'item',
    ttl: ttlMs,
    loadTimeout: loadTimeoutMs,
    staleIfError: staleMs,
    limit: { max, per: perMs },
    load: async (key: string) => (await called([key]))[0] ?? '',
  };
  const loadMany = (keys: readonly string[]): Promise<string[]> => called(keys);
  return {
    loader: defineLoader(definition),
    many: defineLoader({ ...definition, loadMany }),
    calls,
  };
}
