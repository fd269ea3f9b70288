import { randomUUID } from 'node:crypto';
import { type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { resolveRole } from '../config/options.ts';
import { requiredSpan } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import { createCache } from '../create-cache.ts';
import { defineLoader } from '../loaders/define-loader.ts';
import { Keys } from '../redis/keys.ts';
import { type RedisClient, serverOfSlot } from '../redis/redis-client.ts';
import { withSession } from './session.ts';
import { stopSignal } from './stop-signal.ts';

export type BenchFlags = Omit<RoleFlags, 'loaders'> & {
  readonly duration: Duration;
  readonly keys: number;
  readonly concurrency: number;
  readonly json?: boolean;
};

/** Times of a round trip to a server, ms. */
interface Ping {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const LOADER = 'bench';
const PINGS = 500;
const VALUE = 'x'.repeat(100);
const MOST_KEYS = 100_000;
const MOST_CONCURRENCY = 10_000;

/** Measures pings and `cache.get` hits from this machine, in a namespace of its own that it removes. */
export async function runBench(flags: BenchFlags): Promise<void> {
  const forMs = requiredSpan(flags.duration, '--duration', { min: 100, max: 600_000 });
  atMost('--keys', flags.keys, MOST_KEYS);
  atMost('--concurrency', flags.concurrency, MOST_CONCURRENCY);
  const given = resolveRole(roleOptions({ ...flags, loaders: '' }));
  const namespace = `${given.namespace.slice(0, 20)}-bench-${randomUUID().slice(0, 8)}`;
  const { ping, hitsPerSecond } = await withSession({ ...flags, loaders: '' }, async (session) => {
    const { cache, queue } = session.servers;
    const ping = { cache: await pings(cache), queue: await pings(queue) };
    try {
      return { ping, hitsPerSecond: await readHits({ ...flags, namespace, forMs }) };
    } finally {
      await queue.del(new Keys(namespace).versions(LOADER));
    }
  });
  const { keys, concurrency } = flags;
  const found = { hitsPerSecond: Math.round(hitsPerSecond), keys, concurrency, ping };
  const spans = ({ p50Ms, p99Ms }: Ping): string =>
    `median ${p50Ms.toFixed(3)} ms, 99 % within ${p99Ms.toFixed(3)} ms`;
  const text = flags.json
    ? JSON.stringify(found)
    : [
        `hits        ${new Intl.NumberFormat('en').format(found.hitsPerSecond)} a second (${keys} keys of 100 bytes, ${concurrency} at a time, one process)`,
        `ping cache  ${spans(ping.cache)}`,
        `ping queue  ${spans(ping.queue)}`,
      ].join('\n');
  process.stdout.write(`${text}\n`);
}

async function pings(client: RedisClient): Promise<Ping> {
  const redis = serverOfSlot(client, 0);
  const tookMs: number[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const startedAtMs = performance.now();
    await redis.ping();
    tookMs.push(performance.now() - startedAtMs);
  }
  tookMs.sort((one, other) => one - other);
  const at = (share: number): number => tookMs[Math.floor(share * (PINGS - 1))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function readHits({
  forMs,
  ...flags
}: BenchFlags & { readonly namespace: string; readonly forMs: number }): Promise<number> {
  const loader = defineLoader({
    name: LOADER,
    ttl: '15m',
    refresh: false,
    load: (_: number) => VALUE,
  });
  const cache = createCache({
    ...roleOptions({ ...flags, loaders: '' }),
    loaders: [loader],
    recording: false,
  });
  cache.on('server:unsuitable', () => undefined); // For `everwarm doctor` to say.
  try {
    await cache.ready();
    const keys = Array.from({ length: flags.keys }, (_, key) => key);
    const stop = stopSignal(); // Who is stopped still removes its keys.
    for (let from = 0; from < keys.length && !stop.aborted; from += 1_000) {
      await cache.setMany(
        loader,
        keys.slice(from, from + 1_000).map((key) => [key, VALUE]),
      );
    }
    let hits = 0;
    const startedAtMs = performance.now();
    const untilMs = startedAtMs + forMs;
    const read = async (): Promise<void> => {
      while (performance.now() < untilMs && !stop.aborted) {
        await cache.get(loader, Math.floor(Math.random() * keys.length));
        hits++;
      }
    };
    await Promise.all(Array.from({ length: flags.concurrency }, read));
    if (stop.aborted) throw new EverwarmError('CLOSED', 'stopped before its time was over');
    return (1_000 * hits) / (performance.now() - startedAtMs);
  } finally {
    await cache.invalidateNamespace({ confirm: true }).catch(() => undefined); // They expire.
    await cache.close();
  }
}

function atMost(flag: string, value: number, most: number): void {
  if (value > most) throw new InvalidOptionError(flag, value, `must be at most ${most}`);
}
