// An application process that reads 500 times a second, hits and misses, and tells how that went.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { messageOf } from '../../src/core/errors.ts';
import {
  type CacheOptions,
  createCache,
  type EventName,
  type LoadReason,
} from '../../src/index.ts';
import { steadyLoaders } from './steady-loaders.ts';

const READS_PER_MS = 0.5;
const KEYS = 100;
/** No quicker read is worth a record. */
const SLOW_MS = 150;
const TICK_MS = 5;
/** A timer this much late is no news. */
const USUAL_MS = 5;
const REMEMBERED_MS = 20_000;

/** A read that took long, and what it had a right to wait for. Instants are epoch ms. */
export interface SlowRead {
  readonly key: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** The longest load of its key in this process while it waited. */
  readonly loadMs: number;
  /** When this process's event loop was held up meanwhile: from when, and for how long. */
  readonly stalls: readonly (readonly [atMs: number, lateMs: number])[];
}

/** How it went since the last report. */
export interface SteadyReport {
  readonly reads: number;
  readonly errors: readonly string[];
  readonly slow: readonly SlowRead[];
  /** Reads by where their values came from. */
  readonly sources: Readonly<Record<string, number>>;
  /** When each key's loads began, and why. */
  readonly loads: readonly (readonly [key: string, startedAtMs: number, reason: LoadReason])[];
  readonly events: Readonly<Partial<Record<EventName, number>>>;
  /** Most commands that waited for replies, or to be sent, on all connections at a time. */
  readonly mostQueued: number;
}

class Tally {
  reads = 0;
  mostQueued = 0;
  readonly errors: string[] = [];
  readonly slow: SlowRead[] = [];
  readonly sources: Record<string, number> = {};
  readonly loads: [string, number, LoadReason][] = [];
  readonly events: Partial<Record<EventName, number>> = {};
}

interface Load {
  readonly key: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let tally = new Tally();
let recentLoads: Load[] = [];
let stalls: [number, number][] = [];

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

const connections = new Set<Redis>();
const { sendCommand } = Redis.prototype;
Redis.prototype.sendCommand = function (this: Redis, ...sent): unknown {
  connections.add(this);
  return sendCommand.apply(this, sent);
};

/** ioredis keeps its queues to itself. */
type Queues = Record<'commandQueue' | 'offlineQueue', { readonly length: number }>;

function queued(): number {
  let sum = 0;
  for (const redis of connections) {
    const { commandQueue, offlineQueue } = redis as unknown as Queues;
    sum += commandQueue.length + offlineQueue.length;
  }
  return sum;
}

/** Also where a read ends: its stall may be over before the tick is. */
function noteStall(): void {
  const atMs = nowMs();
  const lateMs = atMs - tickedAtMs - TICK_MS;
  if (lateMs <= USUAL_MS) return;
  stalls.push([tickedAtMs, lateMs]);
  tickedAtMs = atMs;
}

let tickedAtMs = nowMs();
setInterval(() => {
  noteStall();
  tickedAtMs = nowMs();
  tally.mostQueued = Math.max(tally.mostQueued, queued());
}, TICK_MS);
setInterval(() => {
  const sinceMs = nowMs() - REMEMBERED_MS;
  recentLoads = recentLoads.filter(({ endedAtMs }) => endedAtMs > sinceMs);
  stalls = stalls.filter(([atMs]) => atMs > sinceMs);
}, 1_000);

const loaders = steadyLoaders((load) => {
  tally.loads.push([load.key, load.startedAtMs, load.reason]);
  recentLoads.push(load);
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
  const startedAtMs = nowMs();
  const loader = n % 2 === 0 ? kept : brief;
  const key = `${loader.name}-${(n >> 1) % KEYS}`;
  try {
    const { source } = await cache.getWithMeta(loader, key);
    tally.sources[source] = (tally.sources[source] ?? 0) + 1;
  } catch (error) {
    tally.errors.push(messageOf(error));
  }
  tally.reads++;
  const endedAtMs = nowMs();
  if (endedAtMs - startedAtMs > SLOW_MS) tally.slow.push(slowRead({ key, startedAtMs, endedAtMs }));
}

function slowRead(read: Load): SlowRead {
  const { key, startedAtMs, endedAtMs } = read;
  noteStall();
  const overlapping = recentLoads.filter(
    (load) => load.key === key && load.endedAtMs >= startedAtMs && load.startedAtMs <= endedAtMs,
  );
  const loadMs = Math.max(0, ...overlapping.map((load) => load.endedAtMs - load.startedAtMs));
  const meanwhile = stalls.filter(
    ([atMs, lateMs]) => atMs + lateMs >= startedAtMs && atMs <= endedAtMs,
  );
  return { ...read, loadMs, stalls: meanwhile };
}

function report(): SteadyReport {
  const { ...told } = tally;
  tally = new Tally();
  return told;
}

/** After a garbage collection. */
function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

await cache.ready();
const startedAtMs = performance.now();
let sent = 0;
setInterval(() => {
  const due = (performance.now() - startedAtMs) * READS_PER_MS;
  while (sent < due) void read(sent++);
}, 10);
process.on('message', ({ id, command }: { id: number; command: 'report' | 'heap' }) => {
  process.send?.({ id, result: command === 'heap' ? heapBytes() : report() });
});
process.stdout.write('ready\n');
