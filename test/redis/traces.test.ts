import { context, propagation, type Span, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createScheduler, createWorker, defineLoader, defineWarmUp } from '../../src/index.ts';
import { openQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { nextEvent, openCache } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { minutesAgo, PATIENCE } from '../helpers/warm-fleet.ts';

// As the SDK for Node sets them in an application.
beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(() => {
    context.disable();
    propagation.disable();
  });
});

/** The tracer of one process, and what it has exported. */
function tracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  onTestFinished(() => provider.shutdown());
  const tracer = provider.getTracer('test');
  const named = (name: string): ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.name === name);
  return { tracer, exporter, named, metrics: { tracer } };
}

function start<R extends { ready(): Promise<void>; close(): Promise<void> }>(role: R): Promise<R> {
  onTestFinished(() => role.close());
  return role.ready().then(() => role);
}

function fleet(load: (id: string) => Promise<string> = async (id) => id) {
  const item = defineLoader({ name: 'item', ttl: '1s', load, refresh: { threshold: 1 } });
  return { item, roles: { redis: redisUrl(), namespace: uniqueNamespace(), loaders: [item] } };
}

const idsOf = (span: ReadableSpan | undefined) => span?.spanContext();

test('one trace goes from a tick over its job to the load in the worker', async () => {
  const [app, scheduling, working] = [tracing(), tracing(), tracing()];
  const active: (Span | undefined)[] = [];
  const { item, roles } = fleet(async (id) => {
    active.push(trace.getActiveSpan());
    return id;
  });
  const cache = await openCache({ ...roles, metrics: app.metrics });
  const worker = await start(createWorker({ ...roles, metrics: working.metrics }));
  await start(createScheduler({ ...roles, metrics: scheduling.metrics }));
  const landed = nextEvent(worker, 'refresh:completed');
  const reading = setInterval(() => void cache.get(item, 'a').catch(() => undefined), 20);
  onTestFinished(() => clearInterval(reading));
  await landed;
  // A key that a reader was faster to refresh has a job without a load.
  const [refresh] = working.named('everwarm.refresh');
  const traceId = idsOf(refresh)?.traceId;
  const within = (of: ReturnType<typeof tracing>, name: string) =>
    of.named(name).find((one) => idsOf(one)?.traceId === traceId);
  await expect.poll(() => within(working, 'process item')).toBeDefined();
  clearInterval(reading);

  const tick = within(scheduling, 'everwarm.tick');
  const adding = within(scheduling, 'addBulk item');
  const processing = within(working, 'process item');
  const load = within(working, 'everwarm.load');
  expect(adding?.parentSpanContext?.spanId).toBe(idsOf(tick)?.spanId);
  expect(processing?.parentSpanContext?.spanId).toBe(idsOf(adding)?.spanId);
  expect(load?.parentSpanContext?.spanId).toBe(idsOf(processing)?.spanId);
  expect(refresh?.parentSpanContext?.spanId).toBe(idsOf(processing)?.spanId);
  // What the loader traces itself is a part of its load.
  expect(active.map((span) => span?.spanContext().spanId)).toContain(idsOf(load)?.spanId);

  expect(tick?.parentSpanContext).toBeUndefined();
  expect(tick?.attributes).toMatchObject({
    'everwarm.loader': 'item',
    'everwarm.claimed': 1,
    'everwarm.enqueued': 1,
  });
  // Ticks that found nothing, and BullMQ asking for jobs, are not told.
  const claims = scheduling.named('everwarm.tick').map((one) => one.attributes['everwarm.claimed']);
  expect(claims).not.toContain(0);
  const names = new Set(working.exporter.getFinishedSpans().map(({ name }) => name));
  expect(names).toEqual(new Set(['process item', 'everwarm.load', 'everwarm.refresh']));
});

test('a load that a reader waits for is a part of the span in which it reads; a failed one says why', async () => {
  const { tracer, named, metrics } = tracing();
  const { item, roles } = fleet(() => Promise.reject(new Error('no such item')));
  const cache = await openCache({ ...roles, metrics });
  const request = tracer.startSpan('request');
  const reading = context.with(trace.setSpan(context.active(), request), () =>
    cache.get(item, 'bad'),
  );
  await expect(reading).rejects.toThrow('no such item');
  const [load] = named('everwarm.load');
  expect(load?.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  expect(load?.status.message).toContain('no such item');
  expect(load?.attributes).toMatchObject({
    'everwarm.loader': 'item',
    'everwarm.key': 'bad',
    'everwarm.reason': 'miss',
  });
});

test('a loadMany is one load: of how many keys, and how many of them failed', async () => {
  const { named, metrics } = tracing();
  const active: (Span | undefined)[] = [];
  const answers: Record<string, string | Error> = { a: 'A', b: new Error('no b'), c: 'C' };
  const many = defineLoader({
    name: 'many',
    ttl: '1m',
    load: async (id: string) => id,
    loadMany: async (ids: readonly string[]) => {
      active.push(trace.getActiveSpan());
      return ids.map((id) => answers[id] ?? new Error(`no ${id}`));
    },
  });
  const cache = await openCache({ loaders: [many], metrics });
  await expect(cache.getMany(many, ['a', 'b', 'c'])).rejects.toThrow('no b');
  await expect(cache.getMany(many, ['x', 'y'])).rejects.toThrow('no x');

  const loads = named('everwarm.load');
  expect(loads.map(({ attributes }) => attributes)).toEqual(
    [
      { keys: 3, failed: 1 },
      { keys: 2, failed: 2 },
    ].map(({ keys, failed }) => ({
      'everwarm.loader': 'many',
      'everwarm.keys': keys,
      'everwarm.failed': failed,
      'everwarm.reason': 'miss',
    })),
  );
  expect(loads.map(({ status }) => status.message)).toEqual([
    undefined,
    expect.stringContaining('no x'),
  ]);
  expect(active.map((span) => span?.spanContext().spanId)).toEqual(
    loads.map((load) => idsOf(load)?.spanId),
  );
});

test('one trace goes from a run of a warm-up to the loads of its keys', async () => {
  const [scheduling, working] = [tracing(), tracing()];
  const { item, roles } = fleet();
  const plan = defineWarmUp({
    name: 'morning',
    loader: item,
    schedule: minutesAgo(1),
    timezone: 'UTC',
    keys: ['a', 'b'],
    spreadOver: 0,
  });
  await start(createWorker({ ...roles, metrics: working.metrics }));
  const startup = scheduling.tracer.startSpan('startup');
  await context.with(trace.setSpan(context.active(), startup), () =>
    start(createScheduler({ ...roles, warmUps: [plan], metrics: scheduling.metrics })),
  );
  await expect.poll(() => scheduling.named('everwarm.warm_up'), PATIENCE).toHaveLength(1);
  const run = idsOf(scheduling.named('everwarm.warm_up')[0]);
  // Not of the one in which the scheduler happened to be started: that would never end.
  expect(run?.traceId).not.toBe(startup.spanContext().traceId);
  const loads = working.named('everwarm.load');
  expect(loads.map((load) => idsOf(load)?.traceId)).toEqual([run?.traceId, run?.traceId]);
});

test('a job whose trace cannot be read is run all the same', async () => {
  const { named, metrics } = tracing();
  const { item, roles } = fleet();
  const worker = await start(createWorker({ ...roles, metrics }));
  const queue = openQueue(connect(), new Keys(roles.namespace), item);
  onTestFinished(() => queue.close());
  const refreshed = nextEvent(worker, 'refresh:completed');
  const nowMs = Date.now();
  await queue.add(
    'refresh',
    {
      loader: 'item',
      version: item.version,
      reason: 'refresh',
      enqueuedAtMs: nowMs,
      deadlineAtMs: nowMs + 30_000,
      keys: ['a'],
      seen: [0],
      heat: [1],
      unread: [0],
    },
    { telemetry: { metadata: '{"traceparent":' } },
  );
  expect(await refreshed).toMatchObject({ key: 'a' });
  await expect.poll(() => named('process item')).toHaveLength(1);
});
