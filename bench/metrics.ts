// What metrics cost a read: hits in memory and in Redis without them, with a prom-client registry and with an
// OpenTelemetry meter, in turn in one process; and the counting by itself.
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { Registry } from 'prom-client';
import type { MetricsOptions } from '../src/config/metrics-option.ts';
import { Events } from '../src/core/events.ts';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { type Cache, createCache } from '../src/index.ts';
import { readMetrics } from '../src/metrics/read-metrics.ts';
import { RoleMetrics } from '../src/metrics/role-metrics.ts';
import { fresh } from '../src/read/answer.ts';
import { type BenchOptions, benchCommand } from './options.ts';
import { ProductSource } from './products.ts';
import { checkHits, NAMESPACE } from './read-bench.ts';
import { countReads, type Pace, readAll } from './reads-per-second.ts';
import { formatTable, say } from './report.ts';
import { type Summary, summarize } from './statistics.ts';

/** A slice of each side in turn: so short that a busy machine slows all of them down. */
const SLICE_MS = 50;
const PACES = {
  memory: { inFlight: 1, ms: SLICE_MS, burst: 1_000 },
  redis: { inFlight: 64, ms: SLICE_MS },
} as const satisfies Record<string, Pace>;
const OPERATIONS = 1_000_000;

interface Side {
  readonly name: string;
  readonly metrics: MetricsOptions | null;
}

interface Cost {
  readonly name: string;
  /** Nanoseconds of the processor a read. */
  readonly ns: Summary;
  /** More than the first side took in the same round. */
  readonly extraNs: number;
}

class IdleReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

function sides(): Side[] {
  const aggregationTemporalitySelector = () => AggregationTemporality.CUMULATIVE;
  const reader = new IdleReader({ aggregationTemporalitySelector });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('bench');
  return [
    { name: 'without metrics', metrics: null },
    { name: 'registry', metrics: { registry: new Registry() } },
    { name: 'meter', metrics: { meter } },
  ];
}

async function measureReads(
  redisUrl: string,
  tier: keyof typeof PACES,
  rounds: number,
): Promise<Cost[]> {
  const source = new ProductSource();
  const { loader } = source;
  const caches: { readonly name: string; readonly cache: Cache; readonly ns: number[] }[] = [];
  for (const { name, metrics } of sides()) {
    const cache = createCache({
      redis: redisUrl,
      namespace: NAMESPACE,
      loaders: [loader],
      flushInterval: '1h', // No side pays for what another has counted.
      ...(metrics && { metrics }),
      ...(tier === 'memory' && { memory: { maxEntries: 10_000, ttl: '1h' } }),
    });
    await cache.ready();
    await readAll((id) => cache.get(loader, id));
    await checkHits(cache, loader, tier);
    caches.push({ name, cache, ns: [] });
  }
  for (let round = -1; round < rounds; round++) {
    const first = Math.abs(round) % caches.length;
    for (const { cache, ns } of [...caches.slice(first), ...caches.slice(0, first)]) {
      // Time of the processor, not of the clock: others use this machine too.
      const before = process.cpuUsage();
      const { reads } = await countReads((id) => cache.get(loader, id), PACES[tier]);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) ns.push(((user + system) * 1_000) / reads);
    }
  }
  for (const { cache } of caches) await cache.close();
  const [without] = caches;
  return caches.map(({ name, ns }) => {
    const extra = summarize(ns.map((one, at) => one - (without?.ns[at] ?? 0)));
    return { name, ns: summarize(ns), extraNs: Math.round(extra.median) };
  });
}

/** Nanoseconds of counting one read, with its share of a timed one, and nothing else. */
function measureCounting(rounds: number): { name: string; ns: Summary }[] {
  return sides().flatMap(({ name, metrics }) => {
    if (metrics === null) return [];
    const settings = { registry: null, meter: null, tracer: null, ...metrics };
    const counts = readMetrics(RoleMetrics.open(settings, 'cache', new Events()))?.('product');
    if (!counts) return [];
    const answer = fresh(null, 'redis', { createdAtMs: 0, expiresAtMs: 0 });
    const values: number[] = [];
    for (let round = -2; round < rounds; round++) {
      const before = process.cpuUsage();
      for (let nth = 0; nth < OPERATIONS; nth++) counts.end(answer, counts.begin());
      if (round >= 0) values.push((process.cpuUsage(before).user * 1_000) / OPERATIONS);
    }
    return [{ name, ns: summarize(values) }];
  });
}

const options = benchCommand('metrics', 'What metrics cost a read.', 101)
  .parse()
  .opts<BenchOptions>();
const server = await startEmbeddedRedis();
try {
  const counting = measureCounting(Math.min(options.rounds, 21));
  say('Counting a read, and timing one in 8 (registry) or 64 (meter):\n');
  const rows = counting.map(({ name, ns }) => ({ name, summary: ns }));
  say(formatTable('ns', rows));
  const costs: Record<string, Cost[]> = {};
  for (const tier of ['memory', 'redis'] as const) {
    const measured = await measureReads(server.url, tier, options.rounds);
    costs[tier] = measured;
    const { inFlight } = PACES[tier];
    say(`\nHits in ${tier}, ${inFlight} in flight, ${options.rounds} rounds of ${SLICE_MS} ms:\n`);
    say(
      formatTable(
        'ns a read',
        measured.map(({ name, ns }) => ({ name, summary: ns })),
      ),
    );
    for (const { name, extraNs } of measured.slice(1)) {
      say(`${name}: ${extraNs} ns more a read (median of the rounds' differences)`);
    }
  }
  const counted = Object.fromEntries(counting.map(({ name, ns }) => [name, ns.median]));
  if (options.json) say(JSON.stringify({ counting: counted, costs }));
} finally {
  await server.close();
}
