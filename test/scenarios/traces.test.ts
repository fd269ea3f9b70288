import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { type Child, compiled } from '../helpers/child.ts';
import { test } from '../helpers/system.ts';
import type { PrintedSpan } from '../processes/print-spans.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s', refresh: { threshold: 1 } }];
const PRINT_SPANS = pathToFileURL(compiled('test/processes/print-spans.js')).href;

function spansOf(child: Child, name: string): PrintedSpan[] {
  const lines = child.output.split('\n').filter((line) => line.startsWith('{"span":'));
  return lines.map((line) => JSON.parse(line) as PrintedSpan).filter(({ span }) => span === name);
}

test('--traces: one trace goes from the tick in a scheduler process to the load in a worker process', async ({
  system,
}) => {
  const flags = ['--loaders', compiled('test/processes/loaders.js'), '--traces'];
  const env = {
    REDIS_URL: system.url,
    EVERWARM_NAMESPACE: system.namespace,
    NODE_OPTIONS: `--import ${PRINT_SPANS}`,
  };
  const worker = system.run('src/cli/main.js', ['worker', ...flags], { loaders, env });
  const scheduler = system.run('src/cli/main.js', ['scheduler', ...flags], { loaders, env });
  const app = await system.app(loaders);
  const reading = app.read('item', 'a');

  await expect.poll(() => spansOf(worker, 'everwarm.refresh'), { timeout: 30_000 }).not.toEqual([]);
  await app.stopReading();
  await reading;
  const [refresh] = spansOf(worker, 'everwarm.refresh');
  const inTrace = (child: Child, name: string): PrintedSpan | undefined =>
    spansOf(child, name).find(({ traceId }) => traceId === refresh?.traceId);
  await expect.poll(() => inTrace(worker, 'process item')).toBeDefined();
  const tick = inTrace(scheduler, 'everwarm.tick');
  const adding = inTrace(scheduler, 'addBulk item');
  const processing = inTrace(worker, 'process item');
  expect(tick?.parentId).toBeNull();
  expect(adding?.parentId).toBe(tick?.spanId);
  expect(processing?.parentId).toBe(adding?.spanId);
  expect(inTrace(worker, 'everwarm.load')?.parentId).toBe(processing?.spanId);
});
