import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Compose {
  readonly services: Record<
    string,
    {
      readonly command: string;
      readonly image: string;
      readonly ports?: readonly string[];
      readonly environment?: Record<string, string>;
    }
  >;
}

function read(path: string): unknown {
  return parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), { merge: true });
}

describe('docker-compose.yml', () => {
  const { services } = read('docker-compose.yml') as Compose;

  it('has a cache that evicts and a queue that does not', () => {
    expect(services.cache?.command).toMatch(/--maxmemory \d+mb --maxmemory-policy allkeys-lfu/);
    expect(services.queue?.command).toContain('--maxmemory-policy noeviction');
    expect(services.queue?.command).toContain('--appendonly yes');
  });

  it.each(['scheduler', 'worker', 'dashboard'])('runs the %s against both servers', (role) => {
    expect(services[role]?.command).toContain(`${role} --loaders`);
    expect(services[role]?.environment).toEqual({
      REDIS_URL: 'redis://cache:6379',
      REDIS_QUEUE_URL: 'redis://queue:6379',
    });
  });

  it('lets workers be scaled: they have no port and no name of their own', () => {
    expect(Object.keys(services.worker ?? {})).not.toContain('ports');
    expect(Object.keys(services.worker ?? {})).not.toContain('container_name');
  });

  it('publishes the dashboard on loopback alone', () => {
    expect(services.dashboard?.ports).toEqual(['127.0.0.1:3000:3000']);
  });
});

it('the workflow runs .ci/run on Node 20, 22 and 24', () => {
  const workflow = read('.github/workflows/ci.yml') as {
    jobs: { test: { strategy: { matrix: { node: number[] } }; steps: { run?: string }[] } };
  };
  expect(workflow.jobs.test.strategy.matrix.node).toEqual([20, 22, 24]);
  expect(workflow.jobs.test.steps.some(({ run }) => run === 'bash .ci/run')).toBe(true);
});
