// The routes. They know the cache and the loaders, and of the database only how to write.
import { randomUUID } from 'node:crypto';
import type { Cache } from 'everwarm';
import express, { type Express } from 'express';
import { insertOrder } from './database.js';
import { order, sales } from './loaders.js';

export function createApp(cache: Cache): Express {
  const app = express().use(express.json());

  app.get('/shops/:shop/sales', async (request, response) => {
    const { value, source, state } = await cache.getWithMeta(sales, request.params.shop);
    response.set('x-cache', `${source}, ${state}`).json(value);
  });

  app.get('/orders/:id', async (request, response) => {
    const { value, source } = await cache.getWithMeta(order, request.params.id);
    response.set('x-cache', source);
    if (value) response.json(value);
    else response.sendStatus(404);
  });

  app.post('/shops/:shop/orders', async (request, response) => {
    const { shop } = request.params;
    const { product, cents } = request.body;
    const id = randomUUID();
    // What the database answers is stored: the next read of this order needs no load …
    const placed = await cache.writeThrough(order, id, () =>
      insertOrder({ id, shop, product, cents }),
    );
    // … and the shop's sales are old now: served until the new ones are there. Without `soft` the next reader waits.
    await cache.invalidateTags(`shop:${shop}`, { soft: true });
    response.status(201).json(placed);
  });

  return app;
}
