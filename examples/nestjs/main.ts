import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks(); // without it a signal ends the process before the cache is closed
await app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
