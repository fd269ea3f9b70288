import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { createScheduler, createWorker } from '../../src/index.ts';
import { halfLifeMs } from '../../src/policy/heat.ts';
import { Keys } from '../../src/redis/keys.ts';
import { nextEvent, ownServer } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';
import { printed, type System, test } from '../helpers/system.ts';
import { steadyLoaders } from '../processes/steady-loaders.ts';
import type { SteadyReport } from '../processes/steady-reader.ts';

const READ_TIMEOUT_MS = 250;
const OUTAGE_MS = 10_000;
const QUEUE_OUTAGE_MS = 6_000;
const RECOVERY_MS = 5_000;
const KEYS = 200;
const KEEP_MS = 1_000;
/** Three timers on a read's way, each as late as is no news. */
const TIMER_SLACK_MS = 20;
/** What a heap of 14 MB may differ by from one collection to the next, on a busy machine. */
const MAX_GROWTH_BYTES = 8_000_000;
/** Until the breaker opens some 50 commands are sent; without it 500, until the connection is given up. */
const MAX_QUEUED = 150;

interface Deploy {
  readonly worker: ReturnType<typeof createWorker>;
  report(): Promise<SteadyReport>;
  heapBytes(): Promise<number>;
}

/** A reader of 500 reads a second in a process of its own; a worker and a scheduler in this one. */
async function deploy(
  system: System,
  redis: { readonly cache: string; readonly queue: string },
): Promise<Deploy> {
  const { kept, brief } = steadyLoaders(() => undefined);
  const options = { redis, namespace: system.namespace, loaders: [kept, brief] };
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  const refreshed = nextEvent(worker, 'refresh:completed');
  const reader = system.run('test/processes/steady-reader.js', [JSON.stringify({ redis })]);
  await printed(reader, /\bready\b/);
  await refreshed;
  const report = (): Promise<SteadyReport> => reader.ask('report');
  await report();
  return { worker, report, heapBytes: () => reader.ask('heap') };
}

/**
 * From the moment Redis stopped no read waits for more than readTimeout and its own load; a process that
 * does not get to run notices both later.
 */
function expectInTime({ errors, slow, mostQueued }: SteadyReport, stoppedAtMs: number): void {
  expect(errors).toEqual([]);
  const late = slow.filter((read) => {
    const fromMs = Math.max(read.startedAtMs, stoppedAtMs);
    const heldUpMs = read.stalls.reduce(
      (sum, [atMs, lateMs]) => sum + Math.max(0, atMs + lateMs - Math.max(atMs, fromMs)),
      0,
    );
    return read.endedAtMs - fromMs > READ_TIMEOUT_MS + read.loadMs + heldUpMs + TIMER_SLACK_MS;
  });
  expect(late).toEqual([]);
  expect(mostQueued).toBeLessThan(MAX_QUEUED);
}

/**
 * Readers load each key once a second: none of what they load after Redis stopped can have been stored. A
 * refresh that had its lock by then may still call its loader, but nobody reads what it makes.
 */
function expectFewLoads({ loads }: SteadyReport, stoppedAtMs: number): void {
  const startsByKey = new Map<string, number[]>();
  for (const [key, atMs, reason] of loads) {
    if (atMs <= stoppedAtMs || reason !== 'miss') continue;
    startsByKey.set(key, [...(startsByKey.get(key) ?? []), atMs]);
  }
  expect(startsByKey.size).toBeLessThanOrEqual(KEYS);
  for (const [key, starts] of startsByKey) {
    const inOrder = starts.sort((one, other) => one - other);
    const gapsMs = inOrder.slice(1).map((atMs, at) => atMs - (inOrder[at] ?? 0));
    expect(
      gapsMs.filter((gapMs) => gapMs < KEEP_MS),
      key,
    ).toEqual([]);
  }
}

function stop({ pid }: EmbeddedRedis): () => void {
  process.kill(pid, 'SIGSTOP');
  return () => void process.kill(pid, 'SIGCONT');
}

/** Heat of a key that is read all the time: it rises with each batch of reads that lands. */
async function heatOf(system: System, queue: EmbeddedRedis): Promise<number> {
  const { heat } = new Keys(system.namespace).tracker(
    { name: 'kept', version: 1 },
    halfLifeMs(2_000),
  );
  return Number(await connect(queue.url).zscore(heat, 'kept-0'));
}

/** All is as it was: values come from Redis, none is late, refreshes and counted reads land. */
async function expectNormal(system: System, queue: EmbeddedRedis, all: Deploy): Promise<void> {
  const { worker, report } = all;
  const patience = { timeout: RECOVERY_MS };
  const heat = await heatOf(system, queue);
  const refreshed = nextEvent(worker, 'refresh:completed');
  await vi.waitFor(async () => {
    const { sources, events } = await report();
    expect(sources.redis).toBeGreaterThan(0);
    expect(events).toEqual({});
  }, patience);
  await vi.waitFor(async () => expect(await heatOf(system, queue)).toBeGreaterThan(heat), patience);
  await vi.waitFor(() => refreshed, patience);
  await report();
  await delay(1_000); // what is normal now
  const after = await report();
  // No bound on its time: a miss may wait for the load of a worker again.
  expect(after.errors).toEqual([]);
  expect(after.sources.redis).toBeGreaterThan(100);
  expect(after.events).toEqual({});
}

describe('under 500 reads a second', () => {
  test('a cache server that hangs for 10 s delays no read by more than readTimeout, and leaves nothing behind', async ({
    system,
  }) => {
    const [cache, queue] = await Promise.all([ownServer(), ownServer()]);
    const all = await deploy(system, { cache: cache.url, queue: queue.url });
    await delay(1_000); // a time to compare with
    const heapBefore = await all.heapBytes();
    const before = await all.report();
    expect(before.sources).toEqual({ redis: expect.any(Number), loader: expect.any(Number) });

    const go = stop(cache);
    const stoppedAtMs = Date.now();
    await delay(OUTAGE_MS); // the outage itself
    const during = await all.report();
    const heapDuring = await all.heapBytes();
    go();

    expectInTime(during, stoppedAtMs);
    expectFewLoads(during, stoppedAtMs);
    expect(during.reads).toBeGreaterThan(0.45 * OUTAGE_MS);
    expect(heapDuring - heapBefore).toBeLessThan(MAX_GROWTH_BYTES);
    expect(during.events['breaker:opened']).toBe(1);
    expect(during.events['redis:failed']).toBeLessThan(30);
    await expectNormal(system, queue, all);
    expect((await all.heapBytes()) - heapBefore).toBeLessThan(MAX_GROWTH_BYTES);
  });

  test('a queue server that hangs for 6 s delays no read, and what it does not count is dropped', async ({
    system,
  }) => {
    const [cache, queue] = await Promise.all([ownServer(), ownServer()]);
    const all = await deploy(system, { cache: cache.url, queue: queue.url });
    await delay(1_000); // a time to compare with
    const heapBefore = await all.heapBytes();
    await all.report();

    const go = stop(queue);
    const stoppedAtMs = Date.now();
    await delay(QUEUE_OUTAGE_MS); // the outage itself
    const during = await all.report();
    const heapDuring = await all.heapBytes();
    go();

    expectInTime(during, stoppedAtMs);
    expect(during.sources.redis).toBeGreaterThan(500);
    expect(heapDuring - heapBefore).toBeLessThan(MAX_GROWTH_BYTES);
    expect(during.events['reads:dropped']).toBeGreaterThan(10);
    expect(during.events['breaker:opened']).toBe(1);
    expect(during.events['redis:failed']).toBeLessThan(30);
    await expectNormal(system, queue, all);
  });

  test('a cache server that is killed and comes back empty 3 s later costs no read more than its load', async ({
    system,
  }) => {
    const [cache, queue] = await Promise.all([ownServer(), ownServer()]);
    const all = await deploy(system, { cache: cache.url, queue: queue.url });

    await cache.close();
    const stoppedAtMs = Date.now();
    await delay(3_000); // the outage itself
    const during = await all.report();
    const second = await startEmbeddedRedis({ port: cache.port });
    onTestFinished(() => second.close());

    expectInTime(during, stoppedAtMs);
    expectFewLoads(during, stoppedAtMs);
    expect(during.events['breaker:opened']).toBe(1);
    await expectNormal(system, queue, all);
  });
});
