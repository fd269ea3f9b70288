import type { Queue } from 'bullmq';
import { expect, it, onTestFinished } from 'vitest';
import { createWorker, defineLoader, type EventMap, type Loader } from '../../src/index.ts';
import type { RefreshJobData, RefreshJobResult } from '../../src/queue/refresh-job.ts';
import { openQueue, type Refresh, RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { gate, openCache } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

interface Bench {
  readonly namespace: string;
  readonly refreshQueue: RefreshQueue;
  readonly queue: Queue<RefreshJobData, RefreshJobResult>;
}

function openBench(loader: { name: string; version: number }): Bench {
  const namespace = uniqueNamespace();
  const connection = connect();
  const keys = new Keys(namespace);
  const refreshQueue = new RefreshQueue(connection, keys, loader);
  const queue = openQueue(connection, keys, loader);
  onTestFinished(async () => {
    await queue.close();
    await refreshQueue.close();
  });
  return { namespace, refreshQueue, queue };
}

function refreshOf(key: string, more: Partial<Refresh> = {}): Refresh {
  const expiresAtMs = Date.now() + 1_000;
  const rest = { seenCreatedAtMs: 0, logHeat: 1, unreadLives: 0, expiresAtMs, isAlone: false };
  return { key, ...rest, ...more };
}

function batch(): { nowMs: number; deadlineAtMs: number } {
  return { nowMs: Date.now(), deadlineAtMs: Date.now() + 30_000 };
}

async function keysPerJob(queue: Bench['queue']): Promise<number[]> {
  const jobs = await queue.getJobs(['waiting', 'prioritized']);
  return jobs.map((job) => job.data.keys.length).sort((a, b) => a - b);
}

/** Runs a worker until it has said of so many keys what became of them. */
async function runWorker<P, R>(
  bench: Bench,
  loader: Loader<P, R>,
  keys: number,
): Promise<Map<string, string>> {
  const worker = createWorker({ redis: redisUrl(), namespace: bench.namespace, loaders: [loader] });
  onTestFinished(() => worker.close());
  const said = new Map<string, string>();
  await new Promise<void>((resolve) => {
    const hear = (key: string, what: string): void => {
      said.set(key, what);
      if (said.size === keys) resolve();
    };
    worker.on('refresh:completed', ({ key }) => hear(key, 'refreshed'));
    worker.on('refresh:skipped', ({ key, why }: EventMap['refresh:skipped']) => hear(key, why));
    worker.on('refresh:failed', ({ key, error }) => hear(key, String(error)));
  });
  return said;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));
const plain = { name: 'plain', version: 1 };

it('gives each of a few keys its own job', async () => {
  const { refreshQueue, queue } = openBench(plain);
  await refreshQueue.enqueue(
    numbers(8).map((key) => refreshOf(key)),
    batch(),
  );
  expect(await keysPerJob(queue)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
});

it('packs many keys into jobs of at most 100', async () => {
  const { refreshQueue, queue } = openBench(plain);
  await refreshQueue.enqueue(
    numbers(1_000).map((key) => refreshOf(key)),
    batch(),
  );
  expect(await keysPerJob(queue)).toEqual(Array(10).fill(100));
});

it('packs no more than 64 KB of key text into a job', async () => {
  const { refreshQueue, queue } = openBench(plain);
  const long = numbers(160).map((key) => refreshOf(key.padEnd(4_000, 'x')));
  await refreshQueue.enqueue(long, batch());
  const sizes = await keysPerJob(queue);
  expect(sizes.reduce((a, b) => a + b)).toBe(160);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
});

it('gives a key whose last job was lost a job of its own', async () => {
  const { refreshQueue, queue } = openBench(plain);
  const keys = numbers(99).map((key) => refreshOf(key));
  await refreshQueue.enqueue([...keys, refreshOf('lost', { isAlone: true })], batch());
  const jobs = await queue.getJobs(['waiting', 'prioritized']);
  const [lost] = jobs.filter((job) => job.data.keys.includes('lost'));
  expect(lost?.data.keys).toEqual(['lost']);
});

it('refreshes the keys of a job by one loadMany, and an Error among the answers fails its key alone', async () => {
  const calls: (readonly string[])[] = [];
  const many = defineLoader({
    name: 'many',
    ttl: '1m',
    load: (id: string) => id,
    loadMany: async (ids: readonly string[]) => {
      calls.push(ids);
      return ids.map((id) => (id === 'b' ? new Error('no b today') : `${id}!`));
    },
  });
  const bench = openBench(many);
  const keys = [...'abcdefghijklmnopqr'].map((key) => refreshOf(key));
  await bench.refreshQueue.enqueue(keys, batch());
  const jobs = await bench.queue.count();

  const said = await runWorker(bench, many, keys.length);

  expect(calls).toHaveLength(jobs);
  expect(calls.flat().sort()).toEqual(keys.map(({ key }) => key).sort());
  expect(said.get('b')).toContain('no b today');
  expect([...said.values()].filter((what) => what === 'refreshed')).toHaveLength(keys.length - 1);
  const cache = await openCache({ namespace: bench.namespace, loaders: [many] });
  expect(await cache.getWithMeta(many, 'c')).toMatchObject({ value: 'c!', source: 'redis' });
});

it('runs at most `concurrency` loads at a time, over all jobs of a loader', async () => {
  let running = 0;
  let most = 0;
  const full = gate();
  const slow = defineLoader({
    name: 'slow',
    ttl: '1m',
    load: async (id: string) => {
      most = Math.max(most, ++running);
      if (running === 7) full.open();
      await full.opened; // The first seven meet; the others find it open.
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return id;
    },
  });
  const bench = openBench(slow);
  await bench.refreshQueue.enqueue(
    numbers(300).map((key) => refreshOf(key)),
    batch(),
  );
  const options = { redis: redisUrl(), namespace: bench.namespace, loaders: [slow] };
  const worker = createWorker({ ...options, concurrency: 7 });
  onTestFinished(() => worker.close());
  let done = 0;
  await new Promise<void>((resolve) => {
    worker.on('refresh:completed', () => {
      if (++done === 300) resolve();
    });
  });
  expect(most).toBe(7);
});

it('skips what is not worth loading: another version, a passed deadline, an entry newer than the plan', async () => {
  let loads = 0;
  const item = defineLoader({ name: 'item', ttl: '1m', load: (id: string) => `${id} ${++loads}` });
  const bench = openBench(item);
  const cache = await openCache({ namespace: bench.namespace, loaders: [item] });
  await cache.get(item, 'fresh');
  await bench.refreshQueue.enqueue([refreshOf('fresh')], batch());
  await bench.refreshQueue.enqueue([refreshOf('late')], { nowMs: 0, deadlineAtMs: Date.now() - 1 });
  const keys = new Keys(bench.namespace);
  const other = new RefreshQueue(connect(), keys, { name: 'item', version: 2 });
  onTestFinished(() => other.close());
  await other.enqueue([refreshOf('newer')], batch());

  const said = await runWorker(bench, item, 3);

  expect(Object.fromEntries(said)).toEqual({
    fresh: 'fresh',
    late: 'late',
    newer: 'other-version',
  });
  expect(loads).toBe(1);
});

it('fails a job only if every key failed, and names the first error', async () => {
  const broken = defineLoader({
    name: 'broken',
    ttl: '1m',
    load: (id: string): string => {
      throw new Error(`no ${id}`);
    },
  });
  const bench = openBench(broken);
  await bench.refreshQueue.enqueue([refreshOf('a')], batch());
  await runWorker(bench, broken, 1);
  await expect.poll(() => bench.queue.getFailedCount()).toBe(1);
  const [job] = await bench.queue.getFailed();
  expect(job?.failedReason).toMatch(/^every key failed \(1\), the first: .*no a$/);
});

it('fails a job that no scheduler has made once, and goes on with the next', async () => {
  const item = defineLoader({ name: 'item', ttl: '1m', load: (id: string) => id });
  const bench = openBench(item);
  const foreign = { hello: 'world' } as unknown as RefreshJobData;
  await bench.queue.add('refresh', foreign, { attempts: 3 });
  await bench.refreshQueue.enqueue([refreshOf('ours')], batch());
  const said = await runWorker(bench, item, 1);
  expect(said.get('ours')).toBe('refreshed');
  await expect.poll(() => bench.queue.getFailedCount()).toBe(1);
  const [job] = await bench.queue.getFailed();
  expect(job?.attemptsMade).toBe(1);
  expect(job?.failedReason).toBe('not a refresh job: an object of type Object');
});
