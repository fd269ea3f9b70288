import { expect, it, onTestFinished } from 'vitest';
import { createWorker, defineLoader, defineWarmUp } from '../../src/index.ts';
import { RefreshControl } from '../../src/observe/refresh-control.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { nextEvent, openCache } from '../helpers/cache.ts';
import { openDashboard } from '../helpers/dashboard.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { openRefreshing } from '../helpers/refreshing.ts';

const HOSTILE = '<script>alert("key")</script>';
const HOSTILE_VALUE = { html: '<img src=x onerror=alert(1)>' };

function itemLoader(loads: string[] = []) {
  return defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string) => {
      loads.push(id);
      return HOSTILE_VALUE;
    },
  });
}

/** Makes keys hot, as readers do. */
async function heat(namespace: string, keys: readonly string[]): Promise<void> {
  const tracker = new Tracker(connect(), new Keys(namespace), itemLoader());
  const expiresAtMs = Date.now() + 60_000;
  await tracker.record(
    keys.map((key, at) => ({ key, reads: 100 - at, expiresAtMs })),
    { nowMs: Date.now(), lookAheadMs: 1_000 },
  );
}

it('shows the hottest keys and a key’s value as text, however hostile', async () => {
  const namespace = uniqueNamespace();
  const item = itemLoader();
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.get(item, HOSTILE);
  await heat(namespace, [HOSTILE, '..', '']);
  const { get } = await openDashboard({ namespace, loaders: [item] });

  const list = await (await get('/keys/item')).text();
  expect(list).toContain('&lt;script&gt;alert(&quot;key&quot;)&lt;/script&gt;');
  const [, href = ''] = /<a class="key" href="([^"]+)">&lt;script/.exec(list) ?? [];
  const page = await (await get(href)).text();
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(list + page).not.toMatch(/<script>|<img src=x/);
  expect(page).toContain('recent reads');
  expect((await get('/keys/item?key=..')).status).toBe(200);
  expect((await get('/keys/item?key=')).status).toBe(200);
});

it('shows neither keys nor values that are to be hidden', async () => {
  const namespace = uniqueNamespace();
  const item = itemLoader();
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.get(item, 'ann@example.com');
  await heat(namespace, ['ann@example.com']);
  const options = { namespace, loaders: [item], hideKeys: true, hideValues: true };
  const { get, post, audited } = await openDashboard(options);

  const list = await (await get('/keys/item')).text();
  const [href = '', hash = ''] = /\/keys\/item\/(key-[0-9a-f]{20})/.exec(list) ?? [];
  const page = await (await get(href)).text();
  expect(page).toContain('Values are hidden');
  expect(list + page).not.toMatch(/ann@|example\.com|onerror/);
  const gone = await post('/actions/key', { action: 'delete', loader: 'item', key: hash });
  expect(gone.headers.get('location')).toBe(`${href}?done=delete`);
  expect(JSON.stringify(audited)).not.toContain('ann@');
  expect((await get('/keys/item/key-00000000000000000000')).status).toBe(404);
});

it('says what became of a key in the last jobs, without its name where that is to be hidden', async () => {
  const namespace = uniqueNamespace();
  let isDown = false;
  const item = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string) => {
      if (isDown) throw new Error(`no answer for ${id}`);
      return id;
    },
  });
  const { worker, refresh } = await openRefreshing(namespace, item);
  const completed = nextEvent(worker, 'refresh:completed');
  await refresh('ann@example.com', 0);
  await completed;
  isDown = true;
  const failed = nextEvent(worker, 'refresh:failed');
  const entryKey = new Keys(namespace).entry(item, 'ann@example.com');
  const [header] = await new EntryStore(connect()).headers([entryKey]);
  await refresh('ann@example.com', header?.createdAtMs ?? 0);
  await failed;

  const { get } = await openDashboard({ namespace, loaders: [item] });
  const jobs = async (): Promise<string[]> => {
    const page = await (await get('/keys/item/ann@example.com')).text();
    const [, section = ''] = /Recent jobs<\/h2>(.*?)<\/section>/s.exec(page) ?? [];
    return [...section.matchAll(/<dd>(.*?)<\/dd>/g)].map(([, text = '']) => text);
  };
  const failure = 'failed: every key failed (1), the first: no answer for ann@example.com';
  await expect.poll(jobs).toEqual([failure, 'loaded']);
  const hiding = await openDashboard({
    namespace,
    loaders: [item],
    hideKeys: true,
    hideValues: true,
  });
  await heat(namespace, ['ann@example.com']);
  const list = await (await hiding.get('/keys/item')).text();
  const [href = ''] = /\/keys\/item\/key-[0-9a-f]{20}/.exec(list) ?? [];
  const hidden = await (await hiding.get(href)).text();
  expect(hidden).toMatch(/no answer for key-[0-9a-f]{20}/);
  expect(hidden).not.toContain('ann@');
});

it('has a worker refresh a key, invalidates it, and deletes it', async () => {
  const namespace = uniqueNamespace();
  const loads: string[] = [];
  const item = itemLoader(loads);
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.get(item, 'a');
  const worker = createWorker({ redis: redisUrl(), namespace, loaders: [item] });
  onTestFinished(() => worker.close());
  await worker.ready();
  const { get, post } = await openDashboard({ namespace, loaders: [item] });
  const act = async (action: string): Promise<string> => {
    const answer = await post('/actions/key', { action, loader: 'item', key: 'a' });
    return answer.headers.get('location') ?? String(answer.status);
  };

  const refreshed = nextEvent(worker, 'refresh:completed');
  expect(await act('refresh')).toBe('/keys/item/a?done=refresh');
  expect(await refreshed).toMatchObject({ loader: 'item', key: 'a' });
  expect(loads).toEqual(['a', 'a']);

  expect(await act('soften')).toBe('/keys/item/a?done=soften');
  expect((await cache.explain(item, 'a')).entry.state).not.toBe('fresh');
  expect(await act('delete')).toBe('/keys/item/a?done=delete');
  expect((await cache.explain(item, 'a')).entry.state).toBe('missing');
  expect(await act('delete')).toBe('/keys/item/a?done=nothing');
  expect(await (await get('/keys/item/a?done=delete')).text()).toContain('The entry is deleted.');
  expect(await act('burn')).toBe('400');
});

it('pauses and resumes a loader, and enqueues nothing meanwhile', async () => {
  const item = itemLoader();
  const { get, post } = await openDashboard({ loaders: [item] });
  await post('/actions/loader', { action: 'pause', loader: 'item' });
  expect(await (await get('/')).text()).toMatch(/paused for/);
  const refresh = await post('/actions/key', { action: 'refresh', loader: 'item', key: 'a' });
  expect(refresh.headers.get('location')).toBe('/keys/item/a?done=paused');
  await post('/actions/loader', { action: 'resume', loader: 'item' });
  expect(await (await get('/')).text()).not.toMatch(/paused for/);
});

it('shows plans with their next runs in their zone, and enqueues a run', async () => {
  const item = itemLoader();
  const morning = defineWarmUp({
    name: 'morning',
    loader: item,
    schedule: '0 9 * * *',
    timezone: 'Asia/Kolkata',
    keys: ['a'],
  });
  const { get, post } = await openDashboard({ loaders: [item], warmUps: [morning] });
  const page = await (await get('/warm-ups')).text();
  expect(page.match(/09:00\+05:30/g)).toHaveLength(3);
  const run = await post('/actions/warm-up', { plan: 'morning' });
  expect(run.headers.get('location')).toBe('/warm-ups?done=unserved');
  expect(await (await get('/warm-ups')).text()).toMatch(/waiting: morning\.by-hand\./);
  expect((await post('/actions/warm-up', { plan: 'evening' })).status).toBe(404);
});

it('says what it checked', async () => {
  const { get } = await openDashboard({ loaders: [itemLoader()] });
  expect(await (await get('/doctor')).text()).toMatch(/Passed<\/span> cache server/);
});

it('answers with a page, and the status that is due, to addresses of nothing', async () => {
  const { get } = await openDashboard({ loaders: [itemLoader()] });
  const statuses = {
    '/nothing': 404,
    '/keys/gone': 404,
    '/keys/__proto__': 404,
    '/keys/item/%E0%A4%A': 400,
    '/keys/item/%7B%20%22a%22%3A1%7D': 404,
    [`/keys/item/${'x'.repeat(5_000)}`]: 404,
    '/keys/item?job=17': 404,
    '/keys/item/a/b': 404,
    '/queues/api/nothing': 404,
  };
  for (const [path, status] of Object.entries(statuses)) {
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, status]);
    expect(await answer.text()).toMatch(/<nav aria-label="Main">[\s\S]*Back to the overview/);
  }
});

it('names the loaders there are where one has vanished whose queue remains', async () => {
  const { get } = await openDashboard({ loaders: [itemLoader()] });
  const page = await (await get('/keys/gone')).text();
  expect(page).toContain('No loader &quot;gone&quot; is defined here; there are: item.');
});

it('answers in plain text to who does not ask for a page', async () => {
  const { url } = await openDashboard({ loaders: [itemLoader()] });
  const answer = await fetch(`${url}/nothing`, { headers: { accept: '*/*' } });
  expect(answer.headers.get('content-type')).toMatch('text/plain');
  expect(await answer.text()).toBe('404 Not Found: Nothing is at "/nothing".\n');
});

it('knows of a pause that another process has begun', async () => {
  const namespace = uniqueNamespace();
  const item = itemLoader();
  const { get } = await openDashboard({ namespace, loaders: [item] });
  const clock = { now: () => Date.now() };
  await new RefreshControl({ queue: connect(), keys: new Keys(namespace), clock }).pause(item);
  expect(await (await get('/keys/item')).text()).toContain('Resume refreshing');
});
