import { Redis } from 'ioredis';
import { fetchRecord } from './origin-client.ts';
import { PlainCache } from './plain-cache.ts';
import { runReader } from './reader-process.ts';
import { replayMs, settingsFromEnv } from './settings.ts';

const settings = settingsFromEnv();
const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: 1 });
redis.on('error', () => {}); // a failed command rejects its read, and that ends this process with the cause
const cache = new PlainCache({
  redis,
  namespace: settings.namespace,
  ttlMs: replayMs(settings.ttlSeconds * 1_000, settings.speed),
  load: (keyId) => fetchRecord(`${settings.originUrl}/${keyId}`),
});

await runReader(settings, async (keyId) => (await cache.get(keyId)).waited);
redis.disconnect();
