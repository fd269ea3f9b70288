import {
  Global,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type Cache, createCache } from 'everwarm';
import { product } from './loaders.js';

/** `@Inject(CACHE) cache: Cache` */
export const CACHE = Symbol('CACHE');

@Global()
@Module({
  providers: [{ provide: CACHE, useFactory: () => createCache({ loaders: [product] }) }],
  exports: [CACHE],
})
export class CacheModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(CACHE) private readonly cache: Cache) {}

  /** Waits for Redis, at most 5 s. */
  async onModuleInit(): Promise<void> {
    await this.cache.ready();
  }

  /** After the HTTP server has closed: until then requests read. */
  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
  }
}
