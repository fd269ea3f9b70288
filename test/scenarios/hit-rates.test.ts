import { expect } from 'vitest';
import type { Sample } from '../../dashboards/live/history.ts';
import { defineLoader } from '../../src/index.ts';
import type { ReadRates } from '../../src/observe/fleet-rates.ts';
import { compiled } from '../helpers/child.ts';
import { openDashboard } from '../helpers/dashboard.ts';
import { test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1h' }];
const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });
const PUBLISHED_WITHIN = { timeout: 20_000, interval: 500 };

test('the reads of a process that goes on are seen on the dashboard and in everwarm stats', async ({
  system,
}) => {
  const { url: redis, namespace } = system;
  const app = await system.app(loaders);
  await app.read('item', 'hot', 1_000);

  const dashboard = await openDashboard({ redis, namespace, loaders: [item] });
  const figure = async (name: string): Promise<string> => {
    const page = await (await dashboard.get('/')).text();
    return new RegExp(`data-cell="loader:item:${name}"[^>]*>([^<]*)<`).exec(page)?.[1] ?? '';
  };
  await expect.poll(() => figure('hits'), PUBLISHED_WITHIN).toMatch(/^9\d\.\d %$/);
  expect(await figure('reads')).toMatch(/^\d\.\d a second$/);
  expect(await figure('tiers')).toMatch(/^0 %, 9\d\.\d %, 0 %$/);
  expect(await figure('waits')).toMatch(/^\d\.\d %$/);
  const charted = async (): Promise<number> => {
    await dashboard.get('/'); // Somebody looks: else there are no samples.
    const history = await (await dashboard.get('/history.json')).json();
    const { hitPercent, waitedPercent } = (history as { samples: Sample[] }).samples.at(-1) ?? {};
    return (hitPercent?.[0] ?? 0) + (waitedPercent?.[0] ?? 0);
  };
  await expect.poll(charted, PUBLISHED_WITHIN).toBeCloseTo(100);

  const file = compiled('test/processes/loaders.js');
  const env = { EVERWARM_LOADERS: file, REDIS_URL: redis, EVERWARM_NAMESPACE: namespace };
  const child = system.run('src/cli/main.js', ['stats', '--json'], { loaders, env });
  expect(await child.exited).toMatchObject({ code: 0 });
  const [{ reads }] = JSON.parse(child.output).loaders as [{ reads: ReadRates }];
  expect(reads).toMatchObject({ memory: 0, stale: 0, failed: 0 });
  expect(reads.redis).toBeGreaterThan(0.9);
  expect(reads.redis + reads.waited).toBeCloseTo(1);
});
