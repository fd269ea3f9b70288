// All three roles in one process, as the database is in it too. With a database server, the worker and the
// scheduler are programs of their own: see ../worker.
import type { AddressInfo } from 'node:net';
import { createCache, createScheduler, createWorker } from 'everwarm';
import { createApp } from './app.js';
import { closeDatabase } from './database.js';
import { order, sales } from './loaders.js';

const loaders = [sales, order];
const cache = createCache({ loaders });
const scheduler = createScheduler({ loaders });
const worker = createWorker({ loaders });
await Promise.all([cache.ready(), scheduler.ready(), worker.ready()]);

const server = createApp(cache).listen(Number(process.env.PORT ?? 8080), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, close);

/** First no more requests, then no more reads, then no more queries. */
function close(): void {
  server.close(async () => {
    await Promise.all([cache.close(), scheduler.close(), worker.close()]);
    await closeDatabase();
  });
}
