import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import type { EmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { BusListener } from '../../src/redis/bus-listener.ts';
import { openBusConnection } from '../../src/redis/connection.ts';
import { entryKey, gate, nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { hearing } from '../helpers/memory.ts';
import { connect } from '../helpers/redis.ts';
import { stallsSince } from '../helpers/stalls.ts';

const NAMESPACE = 'hung';
/** Long enough for pauses between two questions for a lock to be as long as they get. */
const READ_TIMEOUT_MS = 400;
/** Three timers on a read's way, each as late as is no news. */
const TIMER_SLACK_MS = 20;

/** Stops a server until told otherwise, or until the test ends. */
function stop({ pid }: EmbeddedRedis): () => void {
  process.kill(pid, 'SIGSTOP');
  const go = (): void => void process.kill(pid, 'SIGCONT');
  onTestFinished(go);
  return go;
}

interface Scene {
  readonly cache: Cache;
  readonly item: Loader<string, string>;
  readonly loads: string[];
}

async function scene(
  server: EmbeddedRedis,
  {
    load = async () => undefined,
    ...options
  }: { load?: () => Promise<void>; lockTtl?: number } = {},
): Promise<Scene> {
  const loads: string[] = [];
  const item = defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (id: string) => {
      loads.push(id);
      await load();
      return `the value of ${id}`;
    },
  });
  const redis = { cache: server.url, queue: (await ownServer()).url };
  const shared = { redis, namespace: NAMESPACE, readTimeout: READ_TIMEOUT_MS };
  const cache = await openCache({ ...shared, loaders: [item], ...options });
  // When a cache first hears the bus, it lets go of its loads under way: a test means those it begins.
  await hearing(connect(server.url), NAMESPACE);
  return { cache, item, loads };
}

test('a load that outlives its lock because Redis hangs runs once, is answered, and overwrites nobody', async () => {
  const server = await ownServer();
  const admin = connect(server.url);
  const begun = gate();
  const { cache, item, loads } = await scene(server, {
    lockTtl: 1_000,
    load: async () => {
      begun.open();
      await delay(5_000); // the origin's own time
    },
  });
  const lost = recorded(cache, 'lock:lost');
  const completed = nextEvent(cache, 'load:completed');
  const key = entryKey(NAMESPACE, item, 'a');

  const reads = [cache.getWithMeta(item, 'a')];
  await begun.opened;
  const go = stop(server);
  reads.push(cache.getWithMeta(item, 'a'));
  const expected = { value: 'the value of a', state: 'uncached' };
  expect(await Promise.all(reads)).toMatchObject([expected, expected]);
  const other = admin.set(`${key}:lock`, 'somebody else', 'PX', 60_000, 'NX');
  go();

  expect(await other).toBe('OK');
  expect(await completed).toMatchObject({ key: 'a', stored: false });
  expect(await admin.exists(key)).toBe(0);
  expect(await admin.get(`${key}:lock`)).toMatch(/^somebody else/);
  expect(loads).toEqual(['a']);
  expect(lost).toEqual([]);
}, 20_000);

test('who waits for a lock that is held elsewhere when Redis stops waits for readTimeout from then on', async () => {
  const server = await ownServer();
  const admin = connect(server.url);
  const { cache, item, loads } = await scene(server);
  const ids = Array.from({ length: 30 }, (_, at) => `id-${at}`);
  for (const id of ids) {
    await admin.set(`${entryKey(NAMESPACE, item, id)}:lock`, 'somebody else', 'PX', 60_000);
  }
  const endedAtMs: number[] = [];
  const reads = ids.map(async (id) => {
    const value = await cache.get(item, id);
    endedAtMs.push(performance.now());
    return value;
  });
  await expect.poll(() => waitedFor(admin, item, ids)).toBe(ids.length);
  await delay(400); // the time that another process's load takes

  const stalls = stallsSince();
  const stoppedAtMs = performance.now();
  stop(server);
  expect(await Promise.all(reads)).toEqual(ids.map((id) => `the value of ${id}`));

  expect(loads.sort()).toEqual([...ids].sort());
  const longestMs = Math.max(...endedAtMs) - stoppedAtMs;
  expect(longestMs).toBeLessThan(READ_TIMEOUT_MS + stalls.end() + TIMER_SLACK_MS);
});

/** How many of the locks say that somebody waits for them. */
async function waitedFor(
  admin: ReturnType<typeof connect>,
  item: Loader<string, string>,
  ids: readonly string[],
): Promise<number> {
  const locks = await admin.mget(ids.map((id) => `${entryKey(NAMESPACE, item, id)}:lock`));
  return locks.filter((lock) => lock?.endsWith('\n')).length;
}

test('a value that could not be stored because Redis went away serves the process for a second, unless invalidated', async () => {
  const server = await ownServer();
  let go = (): void => undefined;
  const { cache, item, loads } = await scene(server, {
    load: async () => {
      if (loads.length === 1) go = stop(server);
    },
  });

  expect(await cache.getWithMeta(item, 'a')).toMatchObject({ state: 'uncached' });
  const again = await Promise.all(Array.from({ length: 20 }, () => cache.get(item, 'a')));
  expect(new Set(again)).toEqual(new Set(['the value of a']));
  expect(loads).toEqual(['a']);

  go();
  await cache.invalidate(item, 'a');
  await cache.get(item, 'a');
  expect(loads).toEqual(['a', 'a']);
});

test('a process hears the others again within 5 s of a hang, and leaves no connection behind', async () => {
  const server = await ownServer();
  const admin = connect(server.url);
  const clients = async (): Promise<number> =>
    String(await admin.client('LIST'))
      .trim()
      .split('\n').length;
  const alone = await clients();
  const heard: string[] = [];
  const use = { role: 'cache', name: 'test', events: new Events() } as const;
  const listening = gate();
  const listener = new BusListener({
    // A server of its own: the connection for data is not asked.
    connect: () => openBusConnection(server.url, use, admin),
    channel: 'bus',
    onMessage: (text) => heard.push(text),
    onHearing: listening.open,
    onRefused: () => undefined,
  });
  onTestFinished(() => listener.close());
  await listening.opened;

  const go = stop(server);
  await delay(12_000); // the hang itself, longer than any silence is borne
  go();

  const hears = async (): Promise<boolean> => {
    await admin.publish('bus', 'hello');
    return heard.length > 0;
  };
  await expect.poll(hears, { timeout: 5_000 }).toBe(true);
  await expect.poll(clients, { timeout: 5_000 }).toBe(alone + 1);
}, 30_000);
