import { setTimeout as sleep } from 'node:timers/promises';
import { defineLoader, type Loader } from 'everwarm';

export interface Place {
  readonly country: string;
  readonly city: string;
}

export interface Forecast extends Place {
  readonly celsius: number;
  readonly computedAt: Date;
}

export const forecast: Loader<Place, Forecast> = defineLoader({
  name: 'forecast',
  ttl: '1m',
  tags: ({ country }: Place) => [`country:${country}`],
  load: async ({ country, city }: Place) => {
    await sleep(100); // your slow service
    return { country, city, celsius: 20 - city.length, computedAt: new Date() };
  },
});
