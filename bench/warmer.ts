// Streams keys into a queue, as a warm-up does, and counts what workers have made of them.
import { processClock } from '../src/core/clock.ts';
import { Events } from '../src/core/events.ts';
import { openDataConnection, untilReady } from '../src/redis/connection.ts';
import { EntryStore } from '../src/redis/entry-store.ts';
import { Keys } from '../src/redis/keys.ts';
import type { RedisClient } from '../src/redis/redis-client.ts';
import { type WarmProgress, WarmRun } from '../src/warm/warm-run.ts';
import { serveParent } from './child.ts';
import { many, one } from './warm-loaders.ts';

const KIB = 1_024;
const READY_MS = 5_000;

let redis: RedisClient | null = null;
let running: Promise<unknown> = Promise.resolve();
let progress: WarmProgress | null = null;
const stopping = new AbortController();

function* texts(count: number): Iterable<string> {
  for (let id = 0; id < count; id++) yield String(id);
}

serveParent({
  async start({ redisUrl, namespace, keys: total = 0, isBatched = false }) {
    const events = new Events();
    redis = openDataConnection(redisUrl, { role: 'queue', name: 'warmer', events });
    await untilReady(redis, redisUrl, READY_MS);
    const keys = new Keys(namespace);
    const run = new WarmRun({
      keys,
      store: new EntryStore(redis),
      queue: redis,
      clock: processClock,
      events,
    });
    const request = {
      runId: 'bench',
      loader: isBatched ? many : one,
      keys: texts(total),
      skip: 0,
      freshUntilMs: null,
      untilMs: null,
      spreadOverMs: 0,
      priority: null,
      total,
    };
    running = run.run(request, {
      signal: stopping.signal,
      onProgress: (last) => {
        progress = last;
      },
    });
  },
  read: () => ({
    count: progress?.done ?? 0,
    atMs: performance.now(),
    peakBytes: process.resourceUsage().maxRSS * KIB,
  }),
  async stop() {
    stopping.abort();
    await running;
    redis?.disconnect();
  },
});
