import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { Router } from 'express';

/** Style, scripts and icon of the pages: files beside this one, and uPlot's. They tell nothing, so nobody has to log in. */
export function assetRoutes(): Router {
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const router = Router();
  const files = { 'uplot.js': 'uPlot.iife.min.js', 'uplot.css': 'uPlot.min.css' } as const;
  for (const [name, file] of Object.entries(files)) {
    router.get(`/${name}`, (_request, response) => response.sendFile(join(uplot, file)));
  }
  router.use(express.static(join(import.meta.dirname, 'assets'), { index: false, maxAge: '5m' }));
  return router;
}
