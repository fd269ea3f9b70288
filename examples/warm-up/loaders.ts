import { setTimeout as sleep } from 'node:timers/promises';
import { defineLoader, defineWarmUp, type Loader, type WarmUp } from 'everwarm';

export interface Menu {
  readonly restaurant: string;
  readonly dishes: readonly string[];
}

export const menu: Loader<string, Menu> = defineLoader({
  name: 'menu',
  ttl: '10m',
  load: async (restaurant: string) => {
    await sleep(50); // your slow query
    return menuOf(restaurant);
  },
  // A warm-up calls it with a hundred keys.
  loadMany: async (restaurants: readonly string[]) => {
    await sleep(50);
    return restaurants.map(menuOf);
  },
});

function menuOf(restaurant: string): Menu {
  return { restaurant, dishes: ['soup', 'bread'] };
}

// Everybody opens the app at noon.
export const lunch: WarmUp = defineWarmUp({
  name: 'lunch',
  loader: menu,
  peakAt: '0 12 * * *',
  timezone: 'Europe/Stockholm',
  leadTime: '20m', // starts at 11:40 …
  spreadOver: '15m', // … at an even pace, over by 11:55
  ttl: '1h', // fresh until 13:00
  keys: [{ hottest: 1_000 }, openRestaurants],
});

async function openRestaurants(): Promise<string[]> {
  return Array.from({ length: 300 }, (_, at) => `restaurant-${at + 1}`); // a query, in reality
}
