import { Module } from '@nestjs/common';
import { CacheModule } from './cache.module.js';
import { ProductsController } from './products.controller.js';
import { ProductsService } from './products.service.js';

@Module({
  imports: [CacheModule],
  controllers: [ProductsController],
  providers: [ProductsService],
})
export class AppModule {}
