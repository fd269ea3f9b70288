import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type ListeningDashboard, startDashboard } from '../../dashboards/server.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import {
  type Cache,
  createCache,
  createScheduler,
  createWorker,
  defineLoader,
  defineWarmUp,
  type RefreshWorkers,
  type Scheduler,
} from '../../src/index.ts';
import { type Browser, openBrowser, troublesOf } from './browser.ts';
import { PASSWORD_HASH } from './dashboard.ts';
import { uniqueNamespace } from './redis.ts';

export const HOSTILE_KEY = '<img src=x onerror=alert(1)>';
/** A foreign name that resolves to the dashboard, as in DNS rebinding. */
export const REBOUND = 'rebound.example';

let price = 1;
export const product = defineLoader({
  name: 'product',
  ttl: '2s',
  staleWhileRevalidate: '2s',
  load: async (id: string) => ({ id, price: price++, markup: '<b id="injected">bold</b>' }),
});
const article = defineLoader({ name: 'article', ttl: '1m', load: async (id: string) => id });
const morning = defineWarmUp({
  name: 'morning',
  loader: article,
  schedule: '0 9 * * *',
  timezone: 'Europe/Berlin',
  keys: ['one', 'two'],
  spreadOver: 0,
});

/** A dashboard over a small fleet that is at work, and a browser to look at it. */
export interface LiveDashboard {
  server: EmbeddedRedis;
  cache: Cache;
  dashboard: ListeningDashboard;
  /** The same for a viewer who has to log in, and sees no keys. */
  guarded: ListeningDashboard;
  browser: Browser;
  /** A new one for each test. */
  page: Page;
  /** What went wrong on the page so far. */
  troubles: string[];
}

/** Starts it before the tests of a file, and closes it after them. */
export function liveDashboard(): LiveDashboard {
  const live = {} as LiveDashboard;
  let worker: RefreshWorkers | undefined;
  let scheduler: Scheduler | undefined;
  let reading: NodeJS.Timeout | undefined;

  beforeAll(async () => {
    live.server = await startEmbeddedRedis();
    const namespace = uniqueNamespace();
    const options = { redis: live.server.url, namespace, loaders: [product, article] };
    const cache = createCache(options);
    live.cache = cache;
    worker = createWorker(options);
    scheduler = createScheduler({ ...options, warmUps: [morning] });
    const shown = { ...options, warmUps: [morning], port: 0, onAudit: () => undefined };
    [live.dashboard, live.guarded, live.browser] = await Promise.all([
      startDashboard(shown),
      startDashboard({ ...shown, auth: [`bob:${PASSWORD_HASH}:viewer`], hideKeys: true }),
      openBrowser(REBOUND),
      cache.ready(),
      worker.ready(),
      scheduler.ready(),
    ]);
    const read = (): void => {
      for (const key of ['sku-42', HOSTILE_KEY]) cache.get(product, key).catch(() => undefined);
    };
    reading = setInterval(read, 50);
  }, 300_000); // Chromium may have to be installed first

  afterAll(async () => {
    clearInterval(reading);
    await live.browser?.close();
    await Promise.all([live.dashboard?.close(), live.guarded?.close()]);
    await Promise.all([live.cache?.close(), worker?.close(), scheduler?.close()]);
    await live.server?.close();
  });

  beforeEach(async () => {
    live.page = await live.browser.context.newPage();
    live.troubles = troublesOf(live.page);
  });

  afterEach(() => live.page.close());
  return live;
}
