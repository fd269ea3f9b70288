// What `steady-reader` reads, and what the roles of its test refresh.
import { setTimeout as delay } from 'node:timers/promises';
import { defineLoader, type LoadContext, type Loader, type LoadReason } from '../../src/index.ts';

const LOAD_MS = 20;

export interface SteadyLoaders {
  /** Hot for long enough to be refreshed ahead. */
  readonly kept: Loader<string, string>;
  /** Gone by the time it is read again. */
  readonly brief: Loader<string, string>;
}

/** @param told - hears of each call when it has ended; instants are epoch ms */
export function steadyLoaders(
  told: (call: {
    readonly key: string;
    readonly reason: LoadReason;
    readonly startedAtMs: number;
    readonly endedAtMs: number;
  }) => void,
): SteadyLoaders {
  const load = async (key: string, { reason }: LoadContext): Promise<string> => {
    const startedAtMs = nowMs();
    await delay(LOAD_MS); // the origin's own time
    told({ key, reason, startedAtMs, endedAtMs: nowMs() });
    return `the value of ${key}`;
  };
  return {
    kept: defineLoader({ name: 'kept', ttl: '2s', load }),
    brief: defineLoader({ name: 'brief', ttl: 300, load }),
  };
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
