// An application process that reads 500 times a second, hits and misses, and tells how that went.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { messageOf } from '../../src/core/errors.ts';
import { type CacheOptions, createCache, type EventName } from '../../src/index.ts';
import { steadyLoaders } from './steady-loaders.ts';

const READS_PER_MS = 0.5;
const KEYS = 100;

/** How it went since the last report. */
export interface SteadyReport {
  readonly reads: number;
  readonly errors: readonly string[];
  readonly longestReadMs: number;
  readonly longestLoadMs: number;
  /** By how much a timer of this process was late at most. */
  readonly loopDelayMs: number;
  /** Reads by where their values came from. */
  readonly sources: Readonly<Record<string, number>>;
  /** When each key's loads began. */
  readonly loads: readonly (readonly [key: string, startedAtMs: number])[];
  readonly events: Readonly<Partial<Record<EventName, number>>>;
  /** After a garbage collection. */
  readonly heapBytes: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const loopDelay = monitorEventLoopDelay({ resolution: 5 });
loopDelay.enable();

class Tally {
  reads = 0;
  longestReadMs = 0;
  longestLoadMs = 0;
  readonly errors: string[] = [];
  readonly sources: Record<string, number> = {};
  readonly loads: [string, number][] = [];
  readonly events: Partial<Record<EventName, number>> = {};
}

let tally = new Tally();
const loaders = steadyLoaders(({ key, startedAtMs }) => {
  tally.loads.push([key, startedAtMs]);
  tally.longestLoadMs = Math.max(tally.longestLoadMs, performance.now() - startedAtMs);
});
const cache = createCache({
  namespace: process.env.EVERWARM_TEST_NAMESPACE ?? '',
  loaders: [loaders.kept, loaders.brief],
  ...(JSON.parse(process.argv[2] ?? '{}') as CacheOptions),
});
const counted: readonly EventName[] = [
  'redis:failed',
  'breaker:opened',
  'breaker:closed',
  'reads:dropped',
];
for (const name of counted) {
  cache.on(name, () => {
    tally.events[name] = (tally.events[name] ?? 0) + 1;
  });
}

async function read(n: number): Promise<void> {
  const { kept, brief } = loaders;
  const startedAtMs = performance.now();
  try {
    const key = `${(n >> 1) % KEYS}`;
    const loader = n % 2 === 0 ? kept : brief;
    const { source } = await cache.getWithMeta(loader, `${loader.name}-${key}`);
    tally.sources[source] = (tally.sources[source] ?? 0) + 1;
  } catch (error) {
    tally.errors.push(messageOf(error));
  }
  tally.reads++;
  tally.longestReadMs = Math.max(tally.longestReadMs, performance.now() - startedAtMs);
}

function report(): SteadyReport {
  const { ...told } = tally;
  const loopDelayMs = loopDelay.max / 1e6;
  tally = new Tally();
  collectGarbage();
  const heapBytes = process.memoryUsage().heapUsed;
  loopDelay.reset(); // The collection was ours.
  return { ...told, loopDelayMs, heapBytes };
}

await cache.ready();
const startedAtMs = performance.now();
let sent = 0;
setInterval(() => {
  const due = (performance.now() - startedAtMs) * READS_PER_MS;
  while (sent < due) void read(sent++);
}, 10);
process.on('message', ({ id }: { id: number }) => {
  process.send?.({ id, result: report() });
});
process.stdout.write('ready\n');
