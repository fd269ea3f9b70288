// Three deploys of an application, one after the other: it encrypts, rotates its key, drops the old one.
import { randomBytes } from 'node:crypto';
import { type Cache, createCache, defineLoader, type Loader } from 'everwarm';
import { Redis } from 'ioredis';
import { encrypted, type KeyRing } from './encrypted.js';

type Customers = Loader<string, { email: string }>;

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const namespace = process.env.EVERWARM_NAMESPACE ?? 'example-encrypting';
const spring = randomBytes(32); // from your secret store, in reality
const summer = randomBytes(32);

const first = { current: 'spring', keys: new Map([['spring', spring]]) };
await deploy('encrypts', first, async (cache, customers) => {
  await cache.invalidateNamespace({ confirm: true }); // what the last run left
  await cache.getMany(customers, ['anna', 'bert']);
  console.log(`   ${await emailsReadableInRedis()}`);
});

const both = new Map([...first.keys, ['summer', summer] as const]);
await deploy('rotates', { current: 'summer', keys: both }, async (cache, customers) => {
  await tellSource(cache, customers, 'anna'); // by the old key
  await cache.set(customers, 'anna', { email: 'anna@example.org' });
  await tellSource(cache, customers, 'anna'); // by the new key
});

const last = { current: 'summer', keys: new Map([['summer', summer]]) };
await deploy('drops the old key', last, async (cache, customers) => {
  await tellSource(cache, customers, 'anna');
  await tellSource(cache, customers, 'bert'); // by the old key: a miss
});

async function deploy(
  what: string,
  ring: KeyRing,
  use: (cache: Cache, customers: Customers) => Promise<void>,
): Promise<void> {
  console.log(what);
  const customers = defineLoader({
    name: 'customer',
    ttl: '1h',
    codec: encrypted(ring),
    load: async (id: string) => ({ email: `${id}@example.com` }),
  });
  const cache = createCache({ redis: redisUrl, namespace, loaders: [customers] });
  try {
    await use(cache, customers);
  } finally {
    await cache.close();
  }
}

async function tellSource(cache: Cache, customers: Customers, id: string): Promise<void> {
  const { value, source } = await cache.getWithMeta(customers, id);
  console.log(`   ${value.email} from ${source}`);
}

async function emailsReadableInRedis(): Promise<string> {
  const redis = new Redis(redisUrl);
  const names = await redis.keys(`${namespace}:{customer@1:*}`);
  const entries = await redis.mgetBuffer(names);
  redis.disconnect();
  const readable = entries.filter((entry) => entry?.includes('@example.com'));
  return `${entries.length} entries, ${readable.length} of them readable`;
}
