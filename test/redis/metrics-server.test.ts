import { expect, onTestFinished, test } from 'vitest';
import { metricsHandler } from '../../src/metrics/serve.ts';
import { type MetricsFlags, openRegistry, serveMetrics } from '../../workers/metrics-server.ts';

async function serving(flags: MetricsFlags = { metricsPort: 0 }) {
  const registry = await openRegistry(flags);
  const served = registry && (await serveMetrics(flags, registry));
  if (!served) throw new Error('it does not serve');
  onTestFinished(() => served.close());
  return { ...served, registry };
}

test('without a port there is no registry; with that of probes alone there is one, but no port of its own', async () => {
  expect(await openRegistry({})).toBeNull();
  const registry = await openRegistry({ healthPort: 0 });
  expect(registry && (await serveMetrics({ healthPort: 0 } as MetricsFlags, registry))).toBeNull();
});

test('answers /metrics, and nothing else', async () => {
  const { url, registry } = await serving();
  registry.registerMetric({
    name: 'up',
    get: async () => ({ name: 'up', help: 'x', type: 'gauge', values: [{ value: 1 }] }),
  } as never);
  const answer = await fetch(`${url}?again`);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  expect(await answer.text()).toBe('# HELP up x\n# TYPE up gauge\nup 1\n');
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
});

test('a registry that fails is answered with 500, not with a crash', async () => {
  const failing = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('no')) };
  const written: unknown[] = [];
  const response = {
    writeHead: (status: number) => ({ end: (text: string) => void written.push(status, text) }),
  };
  metricsHandler(failing)({} as never, response as never);
  await expect.poll(() => written).toEqual([500, 'no\n']);
});

test('a port that is taken, or is none, is refused with its number', async () => {
  const { url } = await serving();
  const port = Number(new URL(url).port);
  for (const taken of [port, 70_000, Number.NaN]) {
    await expect(serving({ metricsPort: taken })).rejects.toMatchObject({
      code: 'METRICS_PORT',
      message: expect.stringContaining(`port ${taken}`),
    });
  }
});
