import { expect } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import type { Check } from '../../src/doctor/check.ts';
import { compiled } from '../helpers/child.ts';
import { type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1h' }];
const FILE = compiled('test/processes/loaders.js');

/** Runs `everwarm` on the test's servers to its end. */
async function everwarm(
  system: System,
  args: readonly string[],
  { file = FILE, redis = system.url }: { readonly file?: string; readonly redis?: string } = {},
): Promise<{ code: number | null; output: string }> {
  const env = { EVERWARM_LOADERS: file, REDIS_URL: redis, EVERWARM_NAMESPACE: system.namespace };
  const child = system.run('src/cli/main.js', args, { loaders, env });
  const { code } = await child.exited;
  return { code, output: child.output };
}

test('everwarm top, stats and invalidate tell of the fleet, for people and as JSON', async ({
  system,
}) => {
  const app = await system.app(loaders);
  await app.read('item', 'hot', 1_500);

  const [top, json, counted] = await Promise.all([
    everwarm(system, ['top']),
    everwarm(system, ['stats', 'item', '--json']),
    everwarm(system, ['invalidate', 'item', 'hot', 'cold', '--dry-run']),
  ]);
  expect(top).toEqual({
    code: 0,
    output: expect.stringMatching(/^item +recent reads.*\nhot +\d+\.\d +\d\.\d{3} +fresh +/),
  });
  expect(top.output).not.toContain('\u001b');
  expect(JSON.parse(json.output)).toMatchObject({ loaders: [{ loader: 'item', trackedKeys: 1 }] });
  expect(counted.output).toBe('1 entry would be removed; nothing was');

  const removed = await everwarm(system, ['invalidate', '--loader', 'item', '--json']);
  expect(removed).toEqual({
    code: 0,
    output: '{"kind":"loader","soft":false,"dryRun":false,"entries":1}',
  });
  expect(await app.get('item', 'hot')).toMatchObject({ source: 'loader' });
});

test('everwarm doctor exits with 2 where a check fails, and with 1 where it cannot look', async ({
  system,
}) => {
  const redis = await startEmbeddedRedis({
    args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'],
  });
  try {
    const [found, lost] = await Promise.all([
      everwarm(system, ['doctor', '--json'], { redis: redis.url }),
      everwarm(system, ['doctor'], { file: '/no/loaders.js' }),
    ]);
    expect(found.code).toBe(2);
    const { checks } = JSON.parse(found.output) as { checks: Check[] };
    const failed = checks.filter(({ ok }) => ok === false).map(({ name }) => name);
    expect(failed).toEqual(['queue eviction', 'scheduler of item', 'worker of item']);
    expect(lost).toEqual({
      code: 1,
      output:
        'everwarm: loaders file /no/loaders.js does not exist (see --loaders, EVERWARM_LOADERS)',
    });
  } finally {
    await redis.close();
  }
});

test('everwarm bench measures hits and pings, and leaves nothing behind', async ({ system }) => {
  const { code, output } = await everwarm(system, [
    ...['bench', '--duration', '200ms', '--keys', '50', '--json'],
  ]);

  expect(code).toBe(0);
  const { hitsPerSecond, ping } = JSON.parse(output);
  expect(hitsPerSecond).toBeGreaterThan(0);
  expect(ping.queue.p50Ms).toBeGreaterThan(0);
  const start = `${system.namespace.slice(0, 20)}-bench-*`;
  expect(await system.redis.keys(start)).toEqual([]);
});

test('a loaders file in TypeScript runs where Node can, else the error says what to do', async ({
  system,
}) => {
  const library = JSON.stringify(compiled('src/index.js'));
  const file = await system.file(
    'loaders.ts',
    `import { defineLoader } from ${library};
const load = (id: string): string => id;
export const item = defineLoader({ name: 'typed', ttl: '1m', load });
`,
  );
  const { code, output } = await everwarm(system, ['stats'], { file });

  if ('typescript' in process.features && process.features.typescript) {
    expect(output).toMatch(/^typed, version 1/m);
  } else {
    expect({ code, output }).toEqual({
      code: 1,
      output: `everwarm: loaders file ${file} could not be loaded: ${file} is TypeScript, which Node ${process.version} does not run: compile it, use Node >= 22.18, or start with NODE_OPTIONS='--import tsx'`,
    });
  }
});

test('everwarm refuses what it cannot do, naming the value and the rule', async ({ system }) => {
  const refused = [
    [['top', 'itme'], /^everwarm: loader "itme" is not in .*, which has: item$/],
    [['invalidate', 'item'], /^everwarm: invalidate "item" alone: it takes LOADER KEY/],
    [['bench', '--keys', '0'], /must be a whole number of at least 1\.\n\nUsage: everwarm bench/],
  ] as const;
  await Promise.all(
    refused.map(async ([args, message]) => {
      expect(await everwarm(system, args)).toEqual({
        code: 1,
        output: expect.stringMatching(message),
      });
    }),
  );
});
