// A tour of a small shop: needs Redis at REDIS_URL, else at redis://127.0.0.1:6379, and takes some seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { createCache, createScheduler, createWorker } from 'everwarm';
import { product, rate } from './loaders.mjs';
import { calls, database, quoteShipping } from './origin.mjs';

const options = { namespace: 'example-shop', loaders: [product, rate] };
const cache = createCache(options);
const scheduler = createScheduler(options); // these two: processes of their own in production
const worker = createWorker(options);
await Promise.all([cache.ready(), scheduler.ready(), worker.ready()]);
await cache.invalidateNamespace({ confirm: true }); // what the last run left

console.log('1. A thousand readers of a missing key cause one load.');
await Promise.all(Array.from({ length: 1_000 }, () => cache.get(product, 'sku-1')));
console.log(`   calls of the database: ${calls.database}`);

console.log('2. What is read again comes from Redis, then from memory.');
const sources = [];
while (sources.at(-1) !== 'memory' && sources.length < 100) {
  sources.push((await cache.getWithMeta(product, 'sku-1')).source);
}
console.log(`   sources: ${[...new Set(sources)].join(', ')}`);

console.log('3. Many keys are one call; that there is none is remembered.');
const found = await cache.getMany(product, ['sku-2', 'sku-3', 'sku-404']);
await cache.get(product, 'sku-404');
console.log(
  `   found ${found.filter(Boolean).length} of 3, calls of the database: ${calls.database}`,
);

console.log('4. A write goes to the database and, by what that answers, to every process.');
await cache.writeThrough(product, 'sku-1', () => database.update('sku-1', { price: 45 }));
console.log(`   price: ${(await cache.get(product, 'sku-1')).price}`);

console.log('5. A soft invalidation by tag: the old value serves until the new one is there.');
await database.update('sku-1', { price: 50 });
const refreshed = new Promise((resolve) => {
  for (const role of [cache, worker]) role.on('load:completed', resolve);
});
await cache.invalidateTags('product:sku-1', { soft: true });
const old = await cache.getWithMeta(product, 'sku-1');
await refreshed;
console.log(`   first ${old.value.price} (${old.state}), then ${await priceOnceItIs(50)}`);

console.log('6. What is read often is refreshed before it expires: no reader waits.');
const seen = { waits: 0, refreshes: 0 };
cache.on('entry:missed', () => seen.waits++);
worker.on('refresh:completed', () => seen.refreshes++);
const untilMs = Date.now() + 6_000; // three lives
for (; Date.now() < untilMs; await sleep(20)) await cache.get(product, 'sku-1');
console.log(`   refreshed: ${seen.refreshes > 0}, readers that waited: ${seen.waits}`);

console.log('7. A limit holds for the whole fleet: four calls at two a second.');
const startedAtMs = Date.now();
await cache.getMany(rate, ['EUR', 'USD', 'CHF', 'SEK']);
console.log(`   took at least a second: ${Date.now() - startedAtMs >= 1_000}`);

console.log('8. A function as it is, wrapped.');
const shipping = cache.wrap(quoteShipping, { name: 'shipping', ttl: '1m' });
await shipping('SE', 800);
console.log(`   ${(await shipping('SE', 800)).price} EUR, calls: ${calls.shipping}`);

await Promise.all([cache.close(), scheduler.close(), worker.close()]);

async function priceOnceItIs(price) {
  for (let tries = 0; tries < 100; tries++) {
    if ((await cache.get(product, 'sku-1')).price === price) return price;
    await sleep(20);
  }
  throw new Error('the new price did not arrive');
}
