import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { defineLoader, type LoadContext, type LoadManyContext } from '../../src/index.ts';
import { openQueue } from '../../src/queue/refresh-queue.ts';
import { decodeHeader } from '../../src/redis/entry.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { WarmReports } from '../../src/redis/warm-reports.ts';
import type { WarmProgress } from '../../src/warm/warm-run.ts';
import { entryBytes, entryKey, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { numberTexts, openWarmer, openWorker, warmRequest } from '../helpers/warming.ts';

let namespace: string;
let calls: { readonly ids: readonly number[]; readonly reason: string }[];

const many = defineLoader({
  name: 'many',
  ttl: '1m',
  load: (id: number, { reason }: LoadContext) => {
    calls.push({ ids: [id], reason });
    return `${id}!`;
  },
  loadMany: async (ids: readonly number[], { reason }: LoadManyContext) => {
    calls.push({ ids, reason });
    return ids.map((id) => (id === 13 ? new Error('no luck') : `${id}!`));
  },
});

const one = defineLoader({ name: 'one', ttl: '1m', load: (id: number) => `${id}!` });

beforeEach(() => {
  namespace = uniqueNamespace();
  calls = [];
});

function watchedQueue(loader: { name: string; version: number }): ReturnType<typeof openQueue> {
  const queue = openQueue(connect(), new Keys(namespace), loader);
  onTestFinished(() => queue.close());
  return queue;
}

async function expiryOf(loader: typeof many, id: number): Promise<number> {
  const bytes = await connect().getBuffer(entryKey(namespace, loader, id));
  return decodeHeader(bytes as Buffer)?.expiresAtMs ?? 0;
}

it('warms by one loadMany for up to 100 keys, and counts each key once', async () => {
  await openWorker(namespace, [many]);
  const { run } = openWarmer(namespace);
  const heard: WarmProgress[] = [];
  const request = warmRequest(many, numberTexts(250), { total: 250 });

  const progress = await run.run(request, { onProgress: (now) => void heard.push(now) });

  expect(progress).toMatchObject({ position: 250, done: 249, skipped: 0, failed: 1, total: 250 });
  expect(heard.at(-1)).toMatchObject({ position: 250 });
  expect(calls.map(({ ids }) => ids.length).sort()).toEqual([100, 100, 50].sort());
  expect(new Set(calls.map(({ reason }) => reason))).toEqual(new Set(['warm']));
  const cache = await openCache({ namespace, loaders: [many] });
  expect(await cache.getWithMeta(many, 249)).toMatchObject({ value: '249!', source: 'redis' });
});

it('warms by one load a key where there is no loadMany', async () => {
  await openWorker(namespace, [one]);
  const progress = await openWarmer(namespace).run.run(warmRequest(one, numberTexts(120)));
  expect(progress).toMatchObject({ position: 120, done: 120, total: null, expectedEndAtMs: null });
});

it('skips what is fresh, and what is not fresh for long enough is loaded', async () => {
  await openWorker(namespace, [many]);
  const redis = connect();
  const soon = Date.now() + 5_000;
  await redis.set(entryKey(namespace, many, 1), entryBytes('old', { expiresAtMs: soon }));
  await redis.set(entryKey(namespace, many, 2), entryBytes('old'));
  await redis.set(entryKey(namespace, many, 3), entryBytes('old', { invalidated: true }));
  const { run } = openWarmer(namespace);
  const texts = ['1', '2', '3'];
  expect(await run.run(warmRequest(many, texts))).toMatchObject({ done: 1, skipped: 2 });
  const freshUntilMs = Date.now() + 20_000;
  const progress = await run.run(warmRequest(many, texts, { freshUntilMs }));
  expect(progress).toMatchObject({ done: 1, skipped: 2, position: 3 });
  expect(calls.map(({ ids }) => ids)).toEqual([[3], [1]]);
});

it('gives what it warms a life until the peak is over, and lets longer lives be', async () => {
  await openWorker(namespace, [many]);
  const untilMs = Date.now() + 3_600_000;
  await openWarmer(namespace).run.run(warmRequest(many, ['5'], { untilMs }));
  expect(await expiryOf(many, 5)).toBeGreaterThanOrEqual(untilMs - 1);
  await openWarmer(namespace).run.run(warmRequest(many, ['6'], { untilMs: Date.now() + 1 }));
  expect(await expiryOf(many, 6)).toBeGreaterThan(Date.now() + 30_000);
});

it('keeps the tags of an entry for as long as it lives', async () => {
  const tagged = defineLoader({
    name: 'tagged',
    ttl: '1s',
    staleIfError: 0,
    loadTimeout: '1s',
    tags: () => ['red'],
    load: (id: number) => `${id}!`,
  });
  await openWorker(namespace, [tagged]);
  const untilMs = Date.now() + 3_600_000;
  await openWarmer(namespace).run.run(warmRequest(tagged, ['1'], { untilMs }));
  const score = await connect().zscore(new Keys(namespace).tag('red'), 'tagged@1:1');
  expect(Number(score)).toBeGreaterThanOrEqual(untilMs);
});

it('has a tracked key looked at by its new life, and tracks no other', async () => {
  await openWorker(namespace, [many]);
  const keys = new Keys(namespace);
  const tracker = new Tracker(connect(), keys, many);
  const nowMs = Date.now();
  const read = { key: '1', reads: 20, expiresAtMs: nowMs + 1_000 };
  await tracker.record([read], { nowMs, lookAheadMs: 30_000 });
  await openWarmer(namespace).run.run(
    warmRequest(many, ['1', '2'], { untilMs: nowMs + 3_600_000 }),
  );
  const dues = await connect().zrange(
    keys.tracker(many, tracker.halfLifeMs).due,
    '0',
    '-1',
    'WITHSCORES',
  );
  expect(dues[0]).toBe('1');
  expect(dues).toHaveLength(2);
  expect(Number(dues[1])).toBeGreaterThan(nowMs + 1_700_000);
});

it('never has more than its bound of jobs in the queue, behind the refreshes', async () => {
  const queue = watchedQueue(many);
  const { run } = openWarmer(namespace, { maxJobs: 3 });
  const stop = new AbortController();
  const running = run.run(warmRequest(many, numberTexts(5_000)), { signal: stop.signal });
  await expect.poll(() => queue.getPrioritizedCount(), { timeout: 10_000 }).toBeGreaterThan(0);
  const [job] = await queue.getPrioritized();
  expect(job?.opts.priority).toBeGreaterThan(32);
  let most = 0;
  await openWorker(namespace, [many]);
  let isOver = false;
  const ended = running.finally(() => {
    isOver = true;
  });
  while (!isOver) most = Math.max(most, await queue.getPrioritizedCount());
  expect(most).toBeLessThanOrEqual(3);
  expect(await ended).toMatchObject({ position: 5_000, failed: 1 });
});

it('takes its waiting jobs back at the abort, and says how far it has come', async () => {
  const queue = watchedQueue(many);
  const stop = new AbortController();
  const { run } = openWarmer(namespace);
  const running = run.run(warmRequest(many, numberTexts(300)), { signal: stop.signal });
  await expect.poll(() => queue.getPrioritizedCount(), { timeout: 10_000 }).toBe(3);
  stop.abort();
  expect(await running).toMatchObject({ position: 0, done: 0 });
  expect(await queue.getPrioritizedCount()).toBe(0);
});

it('ends at the abort though the keys never come', async () => {
  const stop = new AbortController();
  const never: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  };
  const running = openWarmer(namespace).run.run(warmRequest(many, never), { signal: stop.signal });
  stop.abort();
  expect(await running).toMatchObject({ position: 0 });
});

it('fails with what the keys failed with, keeps what is warm, and does not block the next run', async () => {
  await openWorker(namespace, [many]);
  const landed = gate();
  async function* broken(): AsyncIterable<string> {
    yield* numberTexts(1_000);
    await landed.opened;
    throw new Error('cursor lost');
  }
  const { run } = openWarmer(namespace);
  let last: WarmProgress | null = null;
  const onProgress = (now: WarmProgress): void => {
    last = now;
    if (now.position === 1_000) landed.open();
  };
  await expect(run.run(warmRequest(many, broken()), { onProgress })).rejects.toMatchObject({
    code: 'WARM_FAILED',
    message:
      'warm-up run "run" of loader "many": its keys cannot be read on after 1000: cursor lost',
  });
  expect(last).toMatchObject({ position: 1_000, done: 999, failed: 1 });
  const next = warmRequest(many, numberTexts(1_100), { skip: 1_000 });
  expect(await run.run(next)).toMatchObject({ position: 1_100, done: 100 });
});

it('takes back what an earlier attempt has left in the queue, and goes on from its position', async () => {
  const queue = watchedQueue(many);
  const { run } = openWarmer(namespace);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const crashed = run.run(warmRequest(many, numberTexts(200)), { signal: stop.signal });
  crashed.catch(() => undefined);
  await expect.poll(() => queue.getPrioritizedCount(), { timeout: 10_000 }).toBe(2);
  const [left] = await queue.getPrioritized();
  const other = warmRequest(many, numberTexts(200), { skip: 100 });
  const running = openWarmer(namespace).run.run(other);
  await expect.poll(() => queue.getJob(left?.id ?? ''), { timeout: 10_000 }).toBeUndefined();
  await openWorker(namespace, [many]);
  expect(await running).toMatchObject({ position: 200, done: 100 });
  expect(calls.flatMap(({ ids }) => ids).sort((a, b) => a - b)[0]).toBe(100);
});

it('counts a job once that two workers report', async () => {
  const reports = new WarmReports(connect(), new Keys(namespace));
  const job = { runId: 'run', jobId: 'a' };
  await reports.add(many, job, { done: 60, skipped: 30, failed: 10 });
  await reports.add(many, job, { done: 0, skipped: 100, failed: 0 });
  const found = await reports.read(many, 'run', ['a', 'b']);
  expect([...found]).toEqual([['a', { done: 60, skipped: 30, failed: 10 }]]);
  expect(await connect().ttl(new Keys(namespace).warm(many, 'run'))).toBeGreaterThan(0);
});

it('counts the keys of a job as failed of which nobody will ever report', async () => {
  const queue = watchedQueue(many);
  const { run } = openWarmer(namespace, { stallMs: 200 });
  const running = run.run(warmRequest(many, numberTexts(50)));
  await expect.poll(() => queue.getPrioritizedCount(), { timeout: 10_000 }).toBe(1);
  await queue.obliterate({ force: true });
  expect(await running).toMatchObject({ position: 50, failed: 50 });
});

it('says that no worker takes its jobs', async () => {
  const { run, events } = openWarmer(namespace, { stallMs: 200 });
  const stop = new AbortController();
  const stalled = nextEvent(events, 'warm:stalled');
  const running = run.run(warmRequest(many, numberTexts(50)), { signal: stop.signal });
  expect(await stalled).toMatchObject({ loader: 'many', runId: 'run', jobs: 1 });
  stop.abort();
  await running;
});

it('tries keys again later for which its loader had no permit', async () => {
  const limited = defineLoader({
    name: 'limited',
    ttl: '1m',
    limit: { max: 2, per: '300ms' },
    load: (id: number) => `${id}!`,
  });
  const worker = await openWorker(namespace, [limited]);
  const failed = recorded(worker, 'warm:failed');
  const progress = await openWarmer(namespace).run.run(warmRequest(limited, numberTexts(6)));
  expect(progress).toMatchObject({ done: 6, failed: 0 });
  expect(failed).toEqual([]);
});

it('spreads its jobs evenly over the time it is given', async () => {
  await openWorker(namespace, [many]);
  const startedAtMs = Date.now();
  const request = warmRequest(many, numberTexts(40), { total: 40, spreadOverMs: 2_000 });
  expect(await openWarmer(namespace).run.run(request)).toMatchObject({ position: 40 });
  // Two chunks of a second each: the second waits for its time.
  expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(990);
});

it('refuses a run without a proper name', async () => {
  const { run } = openWarmer(namespace);
  await expect(run.run(warmRequest(many, [], { runId: 'a b' }))).rejects.toThrow(
    '`runId` ("a b") must match ^[A-Za-z0-9_.-]{1,128}$',
  );
});
