import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Cache,
  createCache,
  createScheduler,
  createWorker,
  defineLoader,
  type EventMap,
  type EventName,
} from '../../src/index.ts';
import { entryBytes, entryKey, gate, nextEvent } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

/*
 * What each call of Everwarm does, as the ordered list of its events. These are documentation: a change
 * here is a change of behaviour that somebody watching the events will notice.
 */

/** Every event there is: tsc says so when one is missing. */
const EVENTS: Readonly<Record<EventName, true>> = {
  'entry:hit': true,
  'entry:missed': true,
  'load:completed': true,
  'load:failed': true,
  'stale:served': true,
  'store:failed': true,
  'schema:mismatched': true,
  'lock:lost': true,
  'invalidation:completed': true,
  'invalidation:failed': true,
  'reads:dropped': true,
  'tick:completed': true,
  'tracker:limited': true,
  'refresh:planned': true,
  'refresh:completed': true,
  'refresh:skipped': true,
  'refresh:failed': true,
  'warmup:started': true,
  'warmup:completed': true,
  'warmup:skipped': true,
  'warmup:failed': true,
  'warmup:refused': true,
  'warm:failed': true,
  'warm:stalled': true,
  'redis:failed': true,
  'breaker:opened': true,
  'breaker:closed': true,
  'dashboard:failed': true,
  'server:unsuitable': true,
  'origin:opened': true,
  'origin:closed': true,
  'origin:paused': true,
};

let namespace: string;
let transcript: string[];
let isDown: boolean;

const item = defineLoader({
  name: 'item',
  ttl: '1m',
  load: async (id: string) => {
    if (isDown) throw new Error('origin is down');
    return `${id} loaded`;
  },
});

beforeEach(() => {
  namespace = uniqueNamespace();
  transcript = [];
  isDown = false;
});

interface Role {
  on<N extends EventName>(name: N, listener: (event: EventMap[N]) => void): () => void;
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Writes down what a role does from now on; idle ticks are left out. */
async function watched<R extends Role>(name: string, role: R): Promise<R> {
  onTestFinished(() => role.close());
  for (const event of Object.keys(EVENTS) as EventName[]) {
    role.on(event, (details) => {
      if ('claimed' in details && details.claimed === 0) return;
      transcript.push(`${name} ${event} ${told(details)}`);
    });
  }
  await role.ready();
  return role;
}

const FIRST = ['loader', 'key'];

/** An event's details, in a fixed order; numbers of milliseconds differ from run to run. */
function told(details: object): string {
  const rank = ([name]: [string, unknown]): string =>
    `${FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length} ${name}`;
  return Object.entries(details)
    .sort((a, b) => rank(a).localeCompare(rank(b)))
    .map(([name, value]) => {
      if (/Ms$/.test(name)) return `${name}=…`;
      return `${name}=${value instanceof Error ? value.message : String(value)}`;
    })
    .join(' ');
}

function openCache(): Promise<Cache> {
  return watched('cache', createCache({ redis: redisUrl(), namespace, loaders: [item] }));
}

/** An entry of `a` that has so long to live. */
async function seed(value: string, leftMs: number): Promise<void> {
  const nowMs = Date.now();
  const header = { createdAtMs: nowMs - 60_000, expiresAtMs: nowMs + leftMs };
  const redis = connect();
  await redis.set(entryKey(namespace, item, 'a'), entryBytes(value, header), 'PX', 60_000);
}

describe('the transcript of', () => {
  test('a cold get', async () => {
    const cache = await openCache();
    await cache.get(item, 'a');
    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:missed loader=item key=a cause=absent",
        "cache load:completed loader=item key=a loadMs=… reason=miss stored=true",
      ]
    `);
  });

  test('a hit', async () => {
    await seed('seeded', 30_000);
    const cache = await openCache();
    await cache.get(item, 'a');
    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:hit loader=item key=a source=redis",
      ]
    `);
  });

  test('a get of an expired entry', async () => {
    await seed('seeded', -1_000);
    const cache = await openCache();
    await cache.get(item, 'a');
    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:missed loader=item key=a cause=expired",
        "cache load:completed loader=item key=a loadMs=… reason=miss stored=true",
      ]
    `);
  });

  test('a get of an expired entry whose load fails', async () => {
    await seed('seeded', -1_000);
    isDown = true;
    const cache = await openCache();
    expect(await cache.get(item, 'a')).toBe('seeded');
    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:missed loader=item key=a cause=expired",
        "cache load:failed loader=item key=a error=loader "item" failed for key a: origin is down loadMs=… reason=miss",
        "cache stale:served loader=item key=a why=load-failed",
      ]
    `);
  });

  test('a getMany of a hit, a miss and the same miss again', async () => {
    await seed('seeded', 30_000);
    const cache = await openCache();
    await cache.getMany(item, ['b', 'a', 'b']);
    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:hit loader=item key=a source=redis",
        "cache entry:missed loader=item key=b cause=absent",
        "cache load:completed loader=item key=b loadMs=… reason=miss stored=true",
      ]
    `);
  });

  test('a get whose key is invalidated in mid-load', async () => {
    const invalidated = gate();
    const slow = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (id: string) => {
        await invalidated.opened;
        return `${id} loaded`;
      },
    });
    const options = { redis: redisUrl(), namespace, loaders: [slow] };
    const cache = await watched('cache', createCache(options));
    const lock = `${entryKey(namespace, slow, 'a')}:lock`;

    const answer = cache.get(slow, 'a');
    await expect.poll(() => connect().exists(lock)).toBe(1);
    await cache.invalidate(slow, 'a');
    invalidated.open();
    await answer;

    expect(transcript).toMatchInlineSnapshot(`
      [
        "cache entry:missed loader=item key=a cause=absent",
        "cache invalidation:completed loader=item count=0 kind=keys soft=false",
        "cache load:completed loader=item key=a loadMs=… reason=miss stored=false",
        "cache load:completed loader=item key=a loadMs=… reason=miss stored=true",
      ]
    `);
  });

  test('a hot key from its reads to its refresh by a worker', async () => {
    // The worker's load waits for the scheduler's word, so that their order is always the same.
    let ticked: Promise<unknown> = Promise.resolve();
    const hot = defineLoader({
      name: 'item',
      ttl: '2s',
      refresh: { threshold: 2 },
      load: async (id: string, { reason }) => {
        if (reason === 'refresh') await ticked;
        return `${id} by ${reason}`;
      },
    });
    const options = { redis: redisUrl(), namespace, loaders: [hot] };
    const cache = await watched('cache', createCache(options));
    const scheduler = await watched('scheduler', createScheduler(options));
    const worker = await watched('worker', createWorker(options));
    ticked = nextEvent(scheduler, 'tick:completed', ({ enqueued }) => enqueued > 0);
    const refreshed = nextEvent(worker, 'refresh:completed');

    for (let read = 0; read < 4; read++) await cache.get(hot, 'a');
    await refreshed;
    expect(await cache.get(hot, 'a')).toBe('a by refresh');

    const decisive = transcript.filter((line) => !/enqueued=0/.test(line));
    expect(decisive).toMatchInlineSnapshot(`
      [
        "cache entry:missed loader=item key=a cause=absent",
        "cache load:completed loader=item key=a loadMs=… reason=miss stored=true",
        "cache entry:hit loader=item key=a source=redis",
        "cache entry:hit loader=item key=a source=redis",
        "cache entry:hit loader=item key=a source=redis",
        "scheduler tick:completed loader=item claimed=1 dropped=0 enqueued=1 shadowed=0 tickMs=… waiting=0",
        "worker load:completed loader=item key=a loadMs=… reason=refresh stored=true",
        "worker refresh:completed loader=item key=a leadMs=… loadMs=…",
        "cache entry:hit loader=item key=a source=redis",
      ]
    `);
  });

  test('a refresh that fails and is tried again', async () => {
    let ticked: Promise<unknown> = Promise.resolve();
    let failures = 1;
    const hot = defineLoader({
      name: 'item',
      ttl: '3s',
      refresh: { threshold: 2, minLead: '2s' },
      load: async (id: string, { reason, attempt }) => {
        if (reason === 'refresh') await ticked;
        if (reason === 'refresh' && failures-- > 0) throw new Error('origin is down');
        return `${id} at attempt ${attempt}`;
      },
    });
    const options = { redis: redisUrl(), namespace, loaders: [hot] };
    const cache = await watched('cache', createCache(options));
    const scheduler = await watched('scheduler', createScheduler(options));
    const worker = await watched('worker', createWorker(options));
    const enqueued = (): Promise<unknown> =>
      nextEvent(scheduler, 'tick:completed', (tick) => tick.enqueued > 0);
    ticked = enqueued();
    const failed = nextEvent(worker, 'refresh:failed');
    worker.on('refresh:failed', () => {
      ticked = enqueued();
    });
    const refreshed = nextEvent(worker, 'refresh:completed');

    for (let read = 0; read < 4; read++) await cache.get(hot, 'a');
    await failed;
    await refreshed;

    const decisive = transcript.filter((line) => !/^cache|enqueued=0/.test(line));
    expect(decisive).toMatchInlineSnapshot(`
      [
        "scheduler tick:completed loader=item claimed=1 dropped=0 enqueued=1 shadowed=0 tickMs=… waiting=0",
        "worker load:failed loader=item key=a error=loader "item" failed for key a: origin is down loadMs=… reason=refresh",
        "worker refresh:failed loader=item key=a error=loader "item" failed for key a: origin is down retryAtMs=…",
        "scheduler tick:completed loader=item claimed=1 dropped=0 enqueued=1 shadowed=0 tickMs=… waiting=0",
        "worker load:completed loader=item key=a loadMs=… reason=refresh stored=true",
        "worker refresh:completed loader=item key=a leadMs=… loadMs=…",
      ]
    `);
  });
});
