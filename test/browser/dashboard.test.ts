import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, Queue, Worker } from 'bullmq';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Dashboard, startDashboard } from '../../dashboards/server.ts';
import { ensureChromium } from '../helpers/chromium.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const LOADERS = ['product', 'price'];
const HOSTILE_KEY = '<img src=x onerror=alert(1)>';
const DEADLINE_AT_MS = Date.UTC(2030, 0, 2, 3, 4, 5);
/** A foreign name that resolves to the dashboard, as in DNS rebinding. */
const REBOUND = 'rebound.example';
const OUTPUT = join(import.meta.dirname, '../output');
const FONTS = 'https://fonts.googleapis.com/';
const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
];

interface AnsweredJob {
  readonly name: string;
  readonly data: unknown;
}

const profile = mkdtempSync(join(tmpdir(), 'everwarm-chromium-'));
const namespace = uniqueNamespace();
let queues: Queue[] = [];
let workers: Worker[] = [];
let dashboard: Dashboard;
let browser: BrowserContext;

beforeAll(async () => {
  const { hostname: host, port } = new URL(redisUrl());
  const optionsOf = (name: string) => ({
    connection: { host, port: Number(port) },
    prefix: `{${namespace}:${name}}`,
  });
  queues = LOADERS.map((name) => new Queue(name, optionsOf(name)));
  workers = LOADERS.map((name) => new Worker(name, refreshAll, optionsOf(name)));
  await Promise.all(queues.map((queue) => addJobs(queue, refreshJobs(queue.name))));
  dashboard = await startDashboard({ queues, port: 0 });
  const executablePath = await ensureChromium();
  browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: BROWSER_ARGS,
    viewport: { width: 1280, height: 1000 },
  });
  mkdirSync(OUTPUT, { recursive: true });
}, 300_000); // Chromium may have to be installed first

afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all(queues.map((queue) => queue.obliterate({ force: true })));
  await Promise.all(queues.map((queue) => queue.close()));
  rmSync(profile, { recursive: true, force: true });
});

async function refreshAll(job: Job): Promise<unknown> {
  return { refreshed: job.data?.keys?.length ?? 0, skipped: 0, failed: [] };
}

function refreshJobs(loader: string): object[] {
  const job = { loader, version: 1, reason: 'refresh', deadlineAtMs: DEADLINE_AT_MS };
  const keys = ['sku-42', '{"a":2,"b":1}', HOSTILE_KEY];
  return [
    { ...job, keys, seen: [1, 2, 3], heat: [1.5, null, 3], unread: [0, 0, 1] },
    { ...job, keys: ['sku-7'], seen: [1], heat: [null], unread: [0] },
  ];
}

/** Adds jobs, and waits until the queue's worker has completed as many. */
async function addJobs(queue: Queue, jobsData: readonly unknown[]): Promise<void> {
  const worker = workers.find(({ name }) => name === queue.name);
  const completed = new Promise<void>((resolve) => {
    let left = jobsData.length;
    worker?.on('completed', () => --left === 0 && resolve());
  });
  await queue.addBulk(jobsData.map((data) => ({ name: 'refresh', data })));
  await completed;
}

describe('in a browser', () => {
  let page: Page;
  let troubles: string[];

  beforeEach(async () => {
    page = await browser.newPage();
    troubles = [];
    page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() !== 'error' || message.location().url.startsWith(FONTS)) return;
      troubles.push(`console: ${message.text()} (${message.location().url})`);
    });
  });

  afterEach(() => page.close());

  it('lists the queue of every loader', async () => {
    await page.goto(dashboard.url);
    await page.getByRole('main').getByRole('link', { name: 'price', exact: true }).waitFor();
    const names = await page.getByRole('main').locator('a[href*="/queue/"]').allTextContents();
    expect(names.toSorted()).toEqual(['price', 'product']);
    expect(await page.title()).toBe('Everwarm');
    await page.screenshot({ path: join(OUTPUT, 'dashboard-overview.png') });
    expect(troubles).toEqual([]);
  });

  it('shows completed jobs by readable names, and hostile key texts as text', async () => {
    await page.goto(dashboard.url);
    await page.getByRole('main').getByRole('link', { name: 'product', exact: true }).click();
    await page
      .getByRole('main')
      .getByRole('link', { name: /^completed/i })
      .click();
    await page.getByRole('link', { name: 'product × 3 keys' }).waitFor();
    await page.getByRole('link', { name: 'product × 1 key' }).waitFor();
    const data = page.getByRole('tabpanel', { name: 'Data' });
    await data.first().waitFor();
    const shown = (await data.allTextContents()).join('\n');
    for (const key of ['sku-42', '{"a":2,"b":1}', HOSTILE_KEY, 'sku-7']) {
      expect(shown).toContain(`"${key}"`);
    }
    expect(shown).toContain('deadline:"2030-01-02T03:04:05.000Z"');
    expect(shown).not.toMatch(/deadlineAtMs|seen|heat|unread/);
    expect(shown).toContain('refreshed:3');
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await page.screenshot({ path: join(OUTPUT, 'dashboard-completed.png'), fullPage: true });
    expect(troubles).toEqual([]);
  });

  it('lets its own page change things: a click pauses a queue', async () => {
    await page.goto(`${dashboard.url}/queues/queue/price`);
    await page.getByRole('main').getByRole('button').first().click();
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    const price = queues.find((queue) => queue.name === 'price');
    await expect.poll(() => price?.isPaused()).toBe(true);
    await price?.resume();
    expect(troubles).toEqual([]);
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
});

describe('over HTTP', () => {
  it('redirects / to the queues, answers /healthz, and says in plain text where nothing is', async () => {
    const root = await fetch(dashboard.url, { redirect: 'manual' });
    expect([root.status, root.headers.get('location')]).toEqual([302, '/queues']);
    const health = await fetch(`${dashboard.url}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, 'ok']);
    const missing = await fetch(`${dashboard.url}/queues/api/nothing`);
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toMatch('text/plain');
    expect(missing.headers.get('x-powered-by')).toBeNull();
    expect(await missing.text()).toBe(
      '404 Not Found: nothing at "/queues/api/nothing"; the queues are at /queues\n',
    );
  });

  it('shows jobs that are not of Everwarm as they are', async () => {
    const [product] = queues as [Queue];
    const strange = [null, 'text', 7, [], { loader: 'p' }, { loader: 1, keys: [] }, { keys: 'y' }];
    await addJobs(product, [...strange, { loader: 'l', keys: [null], deadlineAtMs: 1e300 }]);
    const path = '/queues/api/queues?activeQueue=product&status=completed&jobsPerPage=50';
    const answer = await fetch(dashboard.url + path);
    const body = (await answer.json()) as { queues: { name: string; jobs: AnsweredJob[] }[] };
    const jobs = body.queues.find(({ name }) => name === 'product')?.jobs ?? [];
    const foreign = jobs.filter(({ name }) => name === 'refresh').map(({ data }) => data);
    expect(foreign).toHaveLength(strange.length);
    expect(foreign).toEqual(expect.arrayContaining(strange));
    const late = { loader: 'l', keys: [null], deadline: 1e300 };
    expect(jobs.find(({ name }) => name === 'l × 1 key')?.data).toEqual(late);
  });

  it('does not write job data: it was shown an abridged form', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'x', data: {}, jobData: {} });
    const add = `${dashboard.url}/queues/api/queues/product/add`;
    const update = `${dashboard.url}/queues/api/queues/product/1/update-data`;
    const answers = [
      await fetch(add, { method: 'POST', headers, body }),
      await fetch(update, { method: 'PATCH', headers, body }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  });

  it('never shows a stack trace, not even in development', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const path = '/queues/api/queues/product/concurrency';
    const headers = { 'content-type': 'application/json' };
    const broken = await fetch(dashboard.url + path, { method: 'PUT', headers, body: '{"' });
    const undecodable = await fetch(`${dashboard.url}/queues/queue/%E0%A4%A`);
    vi.unstubAllEnvs();
    expect([broken.status, undecodable.status]).toEqual([400, 400]);
    expect((await broken.text()) + (await undecodable.text())).not.toMatch(/\bat .*:\d+:\d+/);
  });
});

describe('starting and closing', () => {
  it('names host and port when the port is taken', async () => {
    const port = Number(new URL(dashboard.url).port);
    await expect(startDashboard({ queues: [], port })).rejects.toMatchObject({
      name: 'EverwarmError',
      code: 'DASHBOARD_PORT',
      message: `the dashboard cannot listen on host 127.0.0.1, port ${port}: something else listens there; stop it or choose another port`,
      cause: { code: 'EADDRINUSE' },
    });
  });

  it.each([
    [{ host: '0.0.0.0' }, /`dashboard\.host` \("0\.0\.0\.0"\) is not a loopback address/],
    [{ host: '', allowedHosts: [] }, /`dashboard\.host`/],
    [{ port: 65_536 }, /`dashboard\.port` \(65536\) must be/],
    [{ port: 0.5 }, /`dashboard\.port`/],
    [{ allowedHosts: ['http://a'] }, /`dashboard\.allowedHosts\[0\]`/],
  ])('refuses %j', async (options, message) => {
    await expect(startDashboard({ queues: [], ...options })).rejects.toThrow(message);
  });

  it('refuses two queues of one name', async () => {
    const doubled = [...queues, ...queues];
    await expect(startDashboard({ queues: doubled, port: 0 })).rejects.toThrow(
      /`dashboard.queues`/,
    );
  });

  it('closes within its deadline with a client that never finishes, and only once', async () => {
    const options = { queues: [], port: 0, host: '0.0.0.0', allowedHosts: ['dash.example'] };
    const other = await startDashboard(options);
    expect(other.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket, 'close');
    socket.write('GET / HTTP/1.1\r\n');
    const closing = other.close();
    expect(other.close()).toBe(closing);
    await Promise.all([closing, ended]);
  });
});
