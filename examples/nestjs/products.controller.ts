import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import type { Meta } from 'everwarm';
import type { Product } from './loaders.js';
import { ProductsService } from './products.service.js';

@Controller('products')
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  @Get(':id')
  get(@Param('id') id: string): Promise<Meta<Product>> {
    return this.products.find(id);
  }

  @Delete(':id/cached')
  @HttpCode(204)
  drop(@Param('id') id: string): Promise<void> {
    return this.products.changed(id);
  }
}
