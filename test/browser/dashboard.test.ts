import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { OUTPUT, seriousFindings } from '../helpers/browser.ts';
import { HOSTILE_KEY, liveDashboard, product, REBOUND } from '../helpers/live-dashboard.ts';

const PAGES = [
  '/',
  '/keys',
  '/keys/product',
  '/keys/product/sku-42',
  '/warm-ups',
  '/doctor',
  '/no',
];

const live = liveDashboard();

const figure = (name: string): ReturnType<Page['locator']> =>
  live.page.locator(`[data-cell="loader:product:${name}"]`);

it('shows how a loader is doing, and keeps it up to date', async () => {
  await live.page.goto(live.dashboard.url);
  await expect.poll(() => figure('state').textContent(), { timeout: 20_000 }).toBe('active');
  await expect.poll(() => figure('tracked').textContent(), { timeout: 20_000 }).toBe('2');
  await live.page.locator('.uplot canvas').first().waitFor();
  await live.cache.pauseRefresh(product);
  await expect.poll(() => figure('state').textContent(), { timeout: 20_000 }).toMatch(/^paused/);
  await live.cache.resumeRefresh(product);
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-overview.png'), fullPage: true });
  expect(live.troubles).toEqual([]);
});

it('finds a hostile key among the hottest, and deletes it by its button', async () => {
  await live.page.goto(`${live.dashboard.url}/keys`);
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-keys.png'), fullPage: true });
  await live.page.getByRole('link', { name: HOSTILE_KEY, exact: true }).click();
  expect(await live.page.getByRole('heading', { level: 1 }).textContent()).toBe(HOSTILE_KEY);
  expect(await live.page.locator('pre').textContent()).toContain('<b id="injected">');
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-key.png'), fullPage: true });
  await live.page.getByRole('button', { name: 'Delete' }).click();
  await live.page.getByRole('status').getByText('The entry is deleted.').waitFor();
  expect(await live.page.locator('#injected, img[src="x"]').count()).toBe(0);
  expect(live.troubles).toEqual([]);
});

it('refreshes a key when it is told to, by keyboard alone', async () => {
  await live.page.goto(`${live.dashboard.url}/keys/product`);
  await live.page.getByLabel('Key text').focus();
  await live.page.keyboard.type('sku-42');
  await live.page.keyboard.press('Enter');
  const button = live.page.getByRole('button', { name: 'Refresh now' });
  await button.waitFor();
  await live.page.keyboard.press('Tab');
  expect(await live.page.evaluate('document.activeElement.textContent')).toBe(
    'Skip to the content',
  );
  await button.focus();
  await live.page.keyboard.press('Enter');
  await live.page.getByText('The refresh is enqueued').waitFor();
  expect(live.troubles).toEqual([]);
});

it('runs a warm-up when it is told to, and shows how it ended', async () => {
  await live.page.goto(`${live.dashboard.url}/warm-ups`);
  await live.page.getByRole('button', { name: 'Run now' }).click();
  await live.page.getByText('The run is enqueued').waitFor();
  const ended = async (): Promise<string> => {
    await live.page.goto(`${live.dashboard.url}/warm-ups`);
    return (await live.page.getByRole('main').textContent()) ?? '';
  };
  await expect.poll(ended, { timeout: 20_000 }).toMatch(/2 loaded, 0 fresh, 0 failed/);
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-warm-ups.png'), fullPage: true });
  expect(live.troubles).toEqual([]);
});

describe.each([
  { width: 1280, height: 900, colorScheme: 'light', paths: ['/keys/product/sku-42'] },
  { width: 400, height: 800, colorScheme: 'dark', paths: PAGES },
] as const)('$width px wide and $colorScheme', ({ width, height, colorScheme, paths }) => {
  it('has no serious finding of axe, nor anything beyond its edge', async () => {
    await live.page.setViewportSize({ width, height });
    await live.page.emulateMedia({ colorScheme });
    for (const path of paths) {
      await live.page.goto(live.dashboard.url + path);
      expect([path, await seriousFindings(live.page)]).toEqual([path, []]);
      const used = await live.page.evaluate('document.documentElement.scrollWidth');
      expect([path, used]).toEqual([path, width]);
    }
    await live.page.goto(live.dashboard.url);
    await live.page.locator('.uplot canvas').first().waitFor();
    expect(await seriousFindings(live.page)).toEqual([]);
    await live.page.screenshot({ path: join(OUTPUT, `dashboard-${width}.png`), fullPage: true });
  });
});

it('shows a viewer hashes, and no button, in Bull Board neither', async () => {
  const authorization = `Basic ${Buffer.from('bob:password').toString('base64')}`;
  await live.page.setExtraHTTPHeaders({ authorization });
  await live.page.goto(`${live.guarded.url}/keys/product`);
  await live.page.getByText('bob, viewer').waitFor();
  await live.page.locator('a.key').first().click();
  await live.page.getByText('Facts').waitFor();
  expect(await live.page.getByRole('button').count()).toBe(0);
  expect(await live.page.getByRole('heading', { level: 1 }).textContent()).toMatch(
    /^key-[0-9a-f]{20}$/,
  );
  await live.page.goto(`${live.guarded.url}/queues/queue/product?status=completed`);
  await live.page
    .getByText(/"key-[0-9a-f]{20}"/)
    .first()
    .waitFor();
  expect(await live.page.getByText('sku-42').count()).toBe(0);
  expect(await live.page.getByRole('button', { name: /retry all|clean all/i }).count()).toBe(0);
  expect(live.troubles).toEqual([]);
});

it('refuses a foreign name that resolves to it, and what a page of that name sends', async () => {
  const { port } = new URL(live.dashboard.url);
  const opened = await live.page.goto(`http://${REBOUND}:${port}/queues`);
  expect(opened?.status()).toBe(403);
  expect(await live.page.textContent('body')).toContain(`the Host header "${REBOUND}:${port}"`);

  const path = '/queues/api/queues/product/add';
  const answered = live.page.waitForResponse((response) => response.url().endsWith(path));
  await live.page.evaluate(
    async (url) => void (await fetch(url, { method: 'POST', mode: 'no-cors', body: '{}' })),
    live.dashboard.url + path,
  );
  expect((await answered).status()).toBe(403);
});

// The last one: the server that all others need is stopped.
it('says so when Redis goes away while a page is open, and recovers', async () => {
  const { port } = new URL(live.server.url);
  await live.page.goto(live.dashboard.url);
  await expect.poll(() => figure('tracked').textContent(), { timeout: 20_000 }).toBe('2');
  await live.server.close();
  const banner = live.page.locator('#connection');
  await banner.getByText('Redis does not answer').waitFor({ timeout: 20_000 });
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-redis-away.png') });

  const other = await live.browser.context.newPage();
  const answer = await other.goto(`${live.dashboard.url}/keys`);
  expect(answer?.status()).toBe(503);
  live.server = await startEmbeddedRedis({ port: Number(port) });
  await banner.waitFor({ state: 'hidden', timeout: 30_000 });
  await other.getByRole('heading', { name: 'Hottest keys' }).waitFor({ timeout: 30_000 });
  await other.close();
});
