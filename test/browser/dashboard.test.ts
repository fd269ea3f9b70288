import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
import {
  type Browser,
  OUTPUT,
  openBrowser,
  seriousFindings,
  troublesOf,
} from '../helpers/browser.ts';
import { PASSWORD_HASH } from '../helpers/dashboard.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

const HOSTILE_KEY = '<img src=x onerror=alert(1)>';
/** A foreign name that resolves to the dashboard, as in DNS rebinding. */
const REBOUND = 'rebound.example';
const PAGES = [
  '/',
  '/keys',
  '/keys/product',
  '/keys/product/sku-42',
  '/warm-ups',
  '/doctor',
  '/no',
];

/**
 * What Bull Board 9.10.1 has of its own, and no option changes: buttons that are icons without a name, greys that
 * are too light, pages listed in a list that says it is a navigation, and a logo of Redis without a text.
 */
const OF_BULL_BOARD = ['button-name', 'color-contrast', 'listitem', 'svg-img-alt'];

let price = 1;
const product = defineLoader({
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

const namespace = uniqueNamespace();
let server: EmbeddedRedis;
let cache: Cache;
let worker: RefreshWorkers;
let scheduler: Scheduler;
let reading: NodeJS.Timeout;
let dashboard: ListeningDashboard;
let guarded: ListeningDashboard;
let browser: Browser;
let page: Page;
let troubles: string[];

beforeAll(async () => {
  server = await startEmbeddedRedis();
  const options = { redis: server.url, namespace, loaders: [product, article] };
  cache = createCache(options);
  worker = createWorker(options);
  scheduler = createScheduler({ ...options, warmUps: [morning] });
  const shown = { ...options, warmUps: [morning], port: 0, onAudit: () => undefined };
  [dashboard, guarded, browser] = await Promise.all([
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
  await browser?.close();
  await Promise.all([dashboard?.close(), guarded?.close()]);
  await Promise.all([cache?.close(), worker?.close(), scheduler?.close()]);
  await server?.close();
});

beforeEach(async () => {
  page = await browser.context.newPage();
  troubles = troublesOf(page);
});

afterEach(() => page.close());

const figure = (name: string): ReturnType<Page['locator']> =>
  page.locator(`[data-cell="loader:product:${name}"]`);

it('shows how a loader is doing, and keeps it up to date', async () => {
  await page.goto(dashboard.url);
  await expect.poll(() => figure('state').textContent(), { timeout: 20_000 }).toBe('active');
  await expect.poll(() => figure('tracked').textContent(), { timeout: 20_000 }).toBe('2');
  await page.locator('.uplot canvas').first().waitFor();
  await cache.pauseRefresh(product);
  await expect.poll(() => figure('state').textContent(), { timeout: 20_000 }).toMatch(/^paused/);
  await cache.resumeRefresh(product);
  await page.screenshot({ path: join(OUTPUT, 'dashboard-overview.png'), fullPage: true });
  expect(troubles).toEqual([]);
});

it('finds a hostile key among the hottest, and deletes it by its button', async () => {
  await page.goto(`${dashboard.url}/keys`);
  await page.screenshot({ path: join(OUTPUT, 'dashboard-keys.png'), fullPage: true });
  await page.getByRole('link', { name: HOSTILE_KEY, exact: true }).click();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(HOSTILE_KEY);
  expect(await page.locator('pre').textContent()).toContain('<b id="injected">');
  await page.screenshot({ path: join(OUTPUT, 'dashboard-key.png'), fullPage: true });
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('status').getByText('The entry is deleted.').waitFor();
  expect(await page.locator('#injected, img[src="x"]').count()).toBe(0);
  expect(troubles).toEqual([]);
});

it('refreshes a key when it is told to, by keyboard alone', async () => {
  await page.goto(`${dashboard.url}/keys/product`);
  await page.getByLabel('Key text').focus();
  await page.keyboard.type('sku-42');
  await page.keyboard.press('Enter');
  const button = page.getByRole('button', { name: 'Refresh now' });
  await button.waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
  await button.focus();
  await page.keyboard.press('Enter');
  await page.getByText('The refresh is enqueued').waitFor();
  expect(troubles).toEqual([]);
});

it('runs a warm-up when it is told to, and shows how it ended', async () => {
  await page.goto(`${dashboard.url}/warm-ups`);
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('The run is enqueued').waitFor();
  const ended = async (): Promise<string> => {
    await page.goto(`${dashboard.url}/warm-ups`);
    return (await page.getByRole('main').textContent()) ?? '';
  };
  await expect.poll(ended, { timeout: 20_000 }).toMatch(/2 loaded, 0 fresh, 0 failed/);
  await page.screenshot({ path: join(OUTPUT, 'dashboard-warm-ups.png'), fullPage: true });
  expect(troubles).toEqual([]);
});

describe.each([
  { width: 1280, height: 900, colorScheme: 'light', paths: ['/keys/product/sku-42'] },
  { width: 400, height: 800, colorScheme: 'dark', paths: PAGES },
] as const)('$width px wide and $colorScheme', ({ width, height, colorScheme, paths }) => {
  it('has no serious finding of axe, nor anything beyond its edge', async () => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    for (const path of paths) {
      await page.goto(dashboard.url + path);
      expect([path, await seriousFindings(page)]).toEqual([path, []]);
      const used = await page.evaluate('document.documentElement.scrollWidth');
      expect([path, used]).toEqual([path, width]);
    }
    await page.goto(dashboard.url);
    await page.locator('.uplot canvas').first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.screenshot({ path: join(OUTPUT, `dashboard-${width}.png`), fullPage: true });
  });
});

it('shows a viewer hashes, and no button, in Bull Board neither', async () => {
  const authorization = `Basic ${Buffer.from('bob:password').toString('base64')}`;
  await page.setExtraHTTPHeaders({ authorization });
  await page.goto(`${guarded.url}/keys/product`);
  await page.getByText('bob, viewer').waitFor();
  await page.locator('a.key').first().click();
  await page.getByText('Facts').waitFor();
  expect(await page.getByRole('button').count()).toBe(0);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/^key-[0-9a-f]{20}$/);
  await page.goto(`${guarded.url}/queues/queue/product?status=completed`);
  await page
    .getByText(/"key-[0-9a-f]{20}"/)
    .first()
    .waitFor();
  expect(await page.getByText('sku-42').count()).toBe(0);
  expect(await page.getByRole('button', { name: /retry all|clean all/i }).count()).toBe(0);
  expect(troubles).toEqual([]);
});

describe('Bull Board', () => {
  it('lists the queues, and links a job to its key and every page to the others', async () => {
    await page.goto(`${dashboard.url}/queues`);
    await page.getByRole('main').getByRole('link', { name: 'product', exact: true }).click();
    await page
      .getByRole('main')
      .getByRole('link', { name: /^completed/i })
      .click();
    await page
      .getByRole('link', { name: /product × \d+ key/ })
      .first()
      .waitFor();
    await page.screenshot({ path: join(OUTPUT, 'dashboard-completed.png') });
    const link = page.getByRole('link', { name: /^Its keys?$/ }).first();
    await page.goto(dashboard.url + (await link.getAttribute('href')));
    expect(await page.getByRole('heading', { level: 1 }).textContent()).not.toBe('');
    expect(new URL(page.url()).pathname).toMatch(/^\/keys\/product/);
    expect(troubles).toEqual([]);
  });

  it.each([
    { width: 1280, height: 900, colorScheme: 'light' },
    { width: 400, height: 800, colorScheme: 'dark' },
  ] as const)(
    'has no serious finding of axe but its own, $width px wide and $colorScheme',
    async ({ width, height, colorScheme }) => {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      const look = async (name: string): Promise<void> => {
        const path = join(OUTPUT, `dashboard-${name}-${width}.png`);
        await page.screenshot({ path });
        expect([name, await seriousFindings(page, { except: OF_BULL_BOARD })]).toEqual([name, []]);
        const used = await page.evaluate('document.documentElement.scrollWidth');
        expect([name, used]).toEqual([name, width]);
      };
      await page.goto(`${dashboard.url}/queues`);
      await page.getByRole('main').getByRole('link', { name: 'article', exact: true }).waitFor();
      await look('queues');
      await page.locator('[aria-haspopup="menu"]').first().click();
      const links = page.getByRole('menu').getByRole('menuitem');
      expect(await links.allTextContents()).toEqual(['Overview', 'Keys', 'Warm-ups', 'Doctor']);
      expect(await seriousFindings(page, { within: '[role="menu"]' })).toEqual([]);
      await page.screenshot({ path: join(OUTPUT, `dashboard-queues-menu-${width}.png`) });

      await page.goto(`${dashboard.url}/queues/queue/product?status=completed`);
      const link = page.getByRole('link', { name: /^Its keys?$/ }).first();
      await link.waitFor();
      await look('queue');
      expect(await seriousFindings(page, { within: 'a[href^="/keys/"]' })).toEqual([]);
    },
  );

  it('changes things by its own page: a click pauses a queue', async () => {
    await page.goto(`${dashboard.url}/queues/queue/product`);
    await page.getByRole('main').getByRole('button').first().click();
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    const isPaused = async (): Promise<boolean> => {
      const answer = await fetch(`${dashboard.url}/queues/api/queues?page=1&jobsPerPage=1`);
      const { queues } = (await answer.json()) as { queues: { name: string; isPaused: boolean }[] };
      return queues.some((queue) => queue.name === 'product' && queue.isPaused);
    };
    await expect.poll(isPaused, { timeout: 10_000 }).toBe(true);
    expect(troubles).toEqual([]);
  });
});

it('refuses a foreign name that resolves to it, and what a page of that name sends', async () => {
  const { port } = new URL(dashboard.url);
  const opened = await page.goto(`http://${REBOUND}:${port}/queues`);
  expect(opened?.status()).toBe(403);
  expect(await page.textContent('body')).toContain(`the Host header "${REBOUND}:${port}"`);

  const path = '/queues/api/queues/product/add';
  const answered = page.waitForResponse((response) => response.url().endsWith(path));
  await page.evaluate(
    async (url) => void (await fetch(url, { method: 'POST', mode: 'no-cors', body: '{}' })),
    dashboard.url + path,
  );
  expect((await answered).status()).toBe(403);
});

// The last one: the server that all others need is stopped.
it('says so when Redis goes away while a page is open, and recovers', async () => {
  const { port } = new URL(server.url);
  await page.goto(dashboard.url);
  await expect.poll(() => figure('tracked').textContent(), { timeout: 20_000 }).toBe('2');
  await server.close();
  const banner = page.locator('#connection');
  await banner.getByText('Redis does not answer').waitFor({ timeout: 20_000 });
  await page.screenshot({ path: join(OUTPUT, 'dashboard-redis-away.png') });

  const other = await browser.context.newPage();
  const answer = await other.goto(`${dashboard.url}/keys`);
  expect(answer?.status()).toBe(503);
  server = await startEmbeddedRedis({ port: Number(port) });
  await banner.waitFor({ state: 'hidden', timeout: 30_000 });
  await other.getByRole('heading', { name: 'Hottest keys' }).waitFor({ timeout: 30_000 });
  await other.close();
});
