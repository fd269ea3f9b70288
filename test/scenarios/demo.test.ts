import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const demo = fileURLToPath(new URL('../../dist/examples/demo/main.js', import.meta.url));

const SIDE = {
  reads: expect.any(Number),
  waits: expect.any(Number),
  hotReads: expect.any(Number),
  hotWaits: expect.any(Number),
  p50Ms: expect.any(Number),
  p99Ms: expect.any(Number),
  p999Ms: expect.any(Number),
  originLoads: expect.any(Number),
};

it('replays the same reads on both sides, and every load is one that somebody waited for or a refresh', async () => {
  const { REDIS_URL: _, ...env } = process.env;
  const args = [demo, '--seconds', '120', '--speed', '20', '--json'];
  const { stdout } = await run(process.execPath, args, { env });

  const { plain, everwarm } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(plain).toEqual(SIDE);
  expect(everwarm).toEqual({ ...SIDE, refreshes: expect.any(Number) });
  expect(everwarm.reads).toBe(plain.reads);
  expect(everwarm.hotReads).toBe(plain.hotReads);
  expect(plain.reads).toBeGreaterThan(1_000);
  expect(everwarm.refreshes).toBeGreaterThan(0);
  expect(everwarm.originLoads).toBeLessThanOrEqual(everwarm.waits + everwarm.refreshes);
  expect(plain.originLoads).toBeLessThanOrEqual(plain.waits);
});
