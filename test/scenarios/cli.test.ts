import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { compiled } from '../helpers/child.ts';
import { printed, type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const MAIN = 'src/cli/main.js';
const library = JSON.stringify(compiled('src/index.js'));
const define = (name: string): string =>
  `defineLoader({ name: '${name}', ttl: '1s', load: (key) => 'value of ' + key })`;

/** Runs `everwarm` to its end. */
async function everwarm(
  system: System,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = system.run(MAIN, args);
  const { code } = await child.exited;
  return { code, output: child.output };
}

function loadersFile(system: System, ...names: string[]): Promise<string> {
  const list = names.map((name) => define(name)).join(', ');
  const text = `import { defineLoader } from ${library};\nexport const loaders = [${list}];\n`;
  return system.file('loaders.mjs', text);
}

describe.concurrent('everwarm', () => {
  test('prints its version and its help', async ({ system }) => {
    expect(await everwarm(system, '--version')).toEqual({
      code: 0,
      output: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    const { code, output } = await everwarm(system, '--help');
    expect(code).toBe(0);
    for (const command of ['worker', 'scheduler', 'dev']) expect(output).toContain(command);
  });

  test.for([
    [
      ['worker', '--loaders', 'x.js', '--colour'],
      /unknown option '--colour'.*Usage: everwarm worker/s,
    ],
    [['worker'], /required option '--loaders <file>'/],
    [['werker'], /unknown command 'werker'.*Usage: everwarm/s],
    [['worker', '--loaders', 'x.js', '--concurrency', 'many'], /concurrency.*whole number/s],
  ] as const)('refuses %j with its help', async ([args, message], { system }) => {
    expect(await everwarm(system, ...args)).toEqual({
      code: 1,
      output: expect.stringMatching(message),
    });
  });

  test('refuses a loaders file that throws, with its own words', async ({ system }) => {
    const file = await system.file('throws.mjs', 'throw new Error("no database");');

    expect(await everwarm(system, 'scheduler', '--loaders', file)).toEqual({
      code: 1,
      output: `everwarm: loaders file ${file} could not be loaded: no database`,
    });
  });

  test('refuses a flag that the library does, naming value and rule', async ({ system }) => {
    const file = await loadersFile(system, 'price');

    expect(await everwarm(system, 'worker', '--loaders', file, '--grace', 'soon')).toEqual({
      code: 1,
      output: expect.stringMatching(/`grace` \("soon"\)/),
    });
  });

  test('ends without a word when nobody reads on', async () => {
    const command = `"${process.execPath}" "${compiled(MAIN)}" completion bash | true`;
    expect(await promisify(execFile)('sh', ['-c', command])).toEqual({ stdout: '', stderr: '' });
  });

  test.for(['worker', 'scheduler'] as const)(
    'refuses an unreachable Redis when strict (%s)',
    async (role, { system }) => {
      const file = await loadersFile(system, 'price');
      const url = await deadUrl();

      expect(await everwarm(system, role, '--loaders', file, '--redis', url, '--strict')).toEqual({
        code: 1,
        output: expect.stringContaining(
          `everwarm: Redis at ${url} did not answer within 5000 ms: `,
        ),
      });
    },
  );

  test('warns of a queue Redis that evicts, and refuses it when strict', async ({ system }) => {
    const redis = await startEmbeddedRedis({
      args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lfu'],
    });
    try {
      const file = await loadersFile(system, 'price');
      const args = ['worker', '--loaders', file, '--redis', redis.url];
      const problem = `the queue Redis at ${redis.url} has maxmemory-policy allkeys-lfu: it must be noeviction`;

      const lenient = system.run(MAIN, args);
      await printed(lenient, /ready \(pid/);
      expect(lenient.output).toContain(problem);
      lenient.signal('SIGTERM');
      expect(await lenient.exited).toEqual({ code: 0, signal: null });

      const strict = await everwarm(system, ...args, '--strict');
      expect(strict.output).toContain(`everwarm: ${problem}`);
      expect(strict.code).toBe(1);
    } finally {
      await redis.close();
    }
  });
});

/** The address of a Redis that has just ended. */
async function deadUrl(): Promise<string> {
  const redis = await startEmbeddedRedis();
  await redis.close();
  return redis.url;
}

describe('everwarm dev', () => {
  test('runs a program on a Redis of its own, and ends with it and its exit code', async ({
    system,
  }) => {
    const file = await loadersFile(system, 'price');
    const program = await system.file(
      'app.mjs',
      `import { createCache } from ${library};
import { loaders } from ${JSON.stringify(file)};
const cache = createCache({ loaders });
process.stdout.write('read ' + (await cache.get(loaders[0], 'apple')) + ' from ' + process.env.REDIS_URL + '\\n');
await cache.close();
process.exit(7);
`,
    );

    const dev = system.run(MAIN, devArgs(file, process.execPath, program));

    expect(await dev.exited).toEqual({ code: 7, signal: null });
    expect(dev.output).toMatch(/ready: REDIS_URL=redis:\/\/127.0.0.1:\d+, loaders: price/);
    expect(dev.output).toMatch(/read value of apple from redis:\/\/127.0.0.1:\d+/);
    await expect.poll(() => system.processes()).toEqual([]);
  });

  test('takes its program along on SIGTERM', async ({ system }) => {
    const file = await loadersFile(system, 'price');
    const program = await system.file(
      'stays.mjs',
      'process.stdout.write("program runs\\n"); setInterval(() => {}, 60_000);',
    );

    const dev = system.run(MAIN, devArgs(file, process.execPath, program));
    await printed(dev, /program runs/);
    dev.signal('SIGTERM');

    expect(await dev.exited).toEqual({ code: 0, signal: null });
    await expect.poll(() => system.processes()).toEqual([]);
  });

  test('says so when its program cannot be run', async ({ system }) => {
    const file = await loadersFile(system, 'price');

    const dev = system.run(MAIN, devArgs(file, '/no/such/program'));

    expect(await dev.exited).toEqual({ code: 1, signal: null });
    expect(dev.output).toMatch(/cannot run \/no\/such\/program: .*ENOENT/);
    await expect.poll(() => system.processes()).toEqual([]);
  });
});

function devArgs(file: string, ...command: string[]): string[] {
  return ['dev', '--loaders', file, '--dashboard-port', '0', '--', ...command];
}

describe('workers/refresh and workers/scheduler', () => {
  test('run the roles by the environment alone', async ({ system }) => {
    const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s' }];
    const env = {
      EVERWARM_LOADERS: compiled('test/processes/loaders.js'),
      EVERWARM_NAMESPACE: system.namespace,
      REDIS_URL: system.url,
    };
    const app = await system.app(loaders);
    const worker = system.run('workers/refresh.js', [], { loaders, env });
    const scheduler = system.run('workers/scheduler.js', [], { loaders, env });

    const reading = app.read('item', 'hot');
    await system.probe.call({ stage: 'finished', reason: 'refresh', pid: worker.pid });
    await app.stopReading();
    await reading;

    for (const role of [worker, scheduler]) role.signal('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(await scheduler.exited).toEqual({ code: 0, signal: null });
  });

  test('refuse a loaders file that is not there', async ({ system }) => {
    const env = { EVERWARM_LOADERS: '/no/loaders.js', EVERWARM_NAMESPACE: system.namespace };
    const worker = system.run('workers/refresh.js', [], { env });

    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(worker.output).toBe(
      'everwarm: loaders file /no/loaders.js does not exist (see --loaders, EVERWARM_LOADERS)',
    );
  });
});
