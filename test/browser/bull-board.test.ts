import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OUTPUT, seriousFindings } from '../helpers/browser.ts';
import { liveDashboard } from '../helpers/live-dashboard.ts';

/**
 * What Bull Board 9.10.1 has of its own, and no option changes: buttons that are icons without a name, greys that
 * are too light, pages listed in a list that says it is a navigation, and a logo of Redis without a text.
 */
const OF_BULL_BOARD = ['button-name', 'color-contrast', 'listitem', 'svg-img-alt'];

const live = liveDashboard();

it('lists the queues, and links a job to its key and every page to the others', async () => {
  await live.page.goto(`${live.dashboard.url}/queues`);
  await live.page.getByRole('main').getByRole('link', { name: 'product', exact: true }).click();
  await live.page
    .getByRole('main')
    .getByRole('link', { name: /^completed/i })
    .click();
  await live.page
    .getByRole('link', { name: /product × \d+ key/ })
    .first()
    .waitFor();
  await live.page.screenshot({ path: join(OUTPUT, 'dashboard-completed.png') });
  const link = live.page.getByRole('link', { name: /^Its keys?$/ }).first();
  await live.page.goto(live.dashboard.url + (await link.getAttribute('href')));
  expect(await live.page.getByRole('heading', { level: 1 }).textContent()).not.toBe('');
  expect(new URL(live.page.url()).pathname).toMatch(/^\/keys\/product/);
  expect(live.troubles).toEqual([]);
});

it.each([
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 400, height: 800, colorScheme: 'dark' },
] as const)(
  'has no serious finding of axe but its own, $width px wide and $colorScheme',
  async ({ width, height, colorScheme }) => {
    await live.page.setViewportSize({ width, height });
    await live.page.emulateMedia({ colorScheme });
    const look = async (name: string): Promise<void> => {
      const path = join(OUTPUT, `dashboard-${name}-${width}.png`);
      await live.page.screenshot({ path });
      expect([name, await seriousFindings(live.page, { except: OF_BULL_BOARD })]).toEqual([
        name,
        [],
      ]);
      const used = await live.page.evaluate('document.documentElement.scrollWidth');
      expect([name, used]).toEqual([name, width]);
    };
    await live.page.goto(`${live.dashboard.url}/queues`);
    await live.page.getByRole('main').getByRole('link', { name: 'article', exact: true }).waitFor();
    await look('queues');
    await live.page.locator('[aria-haspopup="menu"]').first().click();
    const links = live.page.getByRole('menu').getByRole('menuitem');
    expect(await links.allTextContents()).toEqual(['Overview', 'Keys', 'Warm-ups', 'Doctor']);
    expect(await seriousFindings(live.page, { within: '[role="menu"]' })).toEqual([]);
    await live.page.screenshot({ path: join(OUTPUT, `dashboard-queues-menu-${width}.png`) });

    await live.page.goto(`${live.dashboard.url}/queues/queue/product?status=completed`);
    const link = live.page.getByRole('link', { name: /^Its keys?$/ }).first();
    await link.waitFor();
    await look('queue');
    expect(await seriousFindings(live.page, { within: 'a[href^="/keys/"]' })).toEqual([]);
  },
);

it('changes things by its own page: a click pauses a queue', async () => {
  await live.page.goto(`${live.dashboard.url}/queues/queue/product`);
  await live.page.getByRole('main').getByRole('button').first().click();
  await live.page.getByRole('menuitem', { name: 'Pause' }).click();
  await live.page.getByRole('button', { name: 'Confirm' }).click();
  const isPaused = async (): Promise<boolean> => {
    const answer = await fetch(`${live.dashboard.url}/queues/api/queues?page=1&jobsPerPage=1`);
    const { queues } = (await answer.json()) as { queues: { name: string; isPaused: boolean }[] };
    return queues.some((queue) => queue.name === 'product' && queue.isPaused);
  };
  await expect.poll(isPaused, { timeout: 10_000 }).toBe(true);
  expect(live.troubles).toEqual([]);
});
