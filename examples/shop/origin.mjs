// What is slow: the shop's database, and somebody else's service for exchange rates.
import { setTimeout as sleep } from 'node:timers/promises';

const rows = new Map(
  ['sku-1', 'sku-2', 'sku-3'].map((id) => [id, { id, shop: 'eu', name: `thing ${id}`, price: 42 }]),
);

/** How often each was called. */
export const calls = { database: 0, rates: 0, shipping: 0 };

export const database = {
  async products(ids) {
    calls.database++;
    await sleep(50);
    return ids.map((id) => rows.get(id));
  },
  async update(id, changes) {
    await sleep(20);
    rows.set(id, { ...rows.get(id), ...changes });
    return rows.get(id);
  },
};

export async function fetchRate(currency) {
  calls.rates++;
  await sleep(20);
  return { currency, rate: currency.charCodeAt(0) / 100 };
}

export async function quoteShipping(country, grams) {
  calls.shipping++;
  await sleep(30);
  return { country, grams, price: 5 + grams / 1_000 };
}
