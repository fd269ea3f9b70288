import { Inject, Injectable } from '@nestjs/common';
import type { Cache, Meta } from 'everwarm';
import { CACHE } from './cache.module.js';
import { type Product, product } from './loaders.js';

@Injectable()
export class ProductsService {
  constructor(@Inject(CACHE) private readonly cache: Cache) {}

  find(id: string): Promise<Meta<Product>> {
    return this.cache.getWithMeta(product, id);
  }

  /** The next reader gets what the database has by then. */
  async changed(id: string): Promise<void> {
    await this.cache.invalidate(product, id);
  }
}
