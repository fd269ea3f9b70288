import { readFile } from 'node:fs/promises';
import { expect, vi } from 'vitest';
import { WarmUpQueue } from '../../src/queue/warm-up-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { type Child, compiled } from '../helpers/child.ts';
import { printed, type System, test } from '../helpers/system.ts';
import { minutesAgo } from '../helpers/warm-fleet.ts';

const MAIN = 'src/cli/main.js';
const PATIENCE = { timeout: 40_000, interval: 50 };
const library = JSON.stringify(compiled('src/index.js'));

/** A loaders file whose loader notes what it loads, and whose plans have these fields. */
class Programs {
  readonly #system: System;
  readonly #file: string;
  readonly #log: string;

  private constructor(system: System, file: string, log: string) {
    this.#system = system;
    this.#file = file;
    this.#log = log;
  }

  static async of(system: System, ...plans: readonly string[]): Promise<Programs> {
    const log = await system.file('loads.txt', '');
    const text = `
import { appendFileSync } from 'node:fs';
import { defineLoader, defineWarmUp } from ${library};
export const item = defineLoader({
  name: 'item',
  ttl: '1h',
  load: (id) => {
    appendFileSync(${JSON.stringify(log)}, id + '\\n');
    return id;
  },
});
const fields = { loader: item, timezone: 'UTC', spreadOver: 0 };
export const plans = [${plans.map((plan) => `defineWarmUp({ ...fields, ${plan} })`).join(', ')}];
`;
    return new Programs(system, await system.file('loaders.mjs', text), log);
  }

  run(command: string, ...args: readonly string[]): Child {
    const { url, namespace } = this.#system;
    const flags = ['--loaders', this.#file, '--redis', url, '--namespace', namespace];
    return this.#system.run(MAIN, [command, ...args, ...flags]);
  }

  async ready(role: 'worker' | 'scheduler'): Promise<Child> {
    const child = this.run(role);
    await printed(child, /\bready\b/);
    return child;
  }

  async ended(
    command: string,
    ...args: readonly string[]
  ): Promise<{ code: number | null; output: string }> {
    const child = this.run(command, ...args);
    const { code } = await child.exited;
    return { code, output: child.output };
  }

  async loads(): Promise<string[]> {
    return (await readFile(this.#log, 'utf8')).split('\n').filter((line) => line !== '');
  }
}

test('a run whose scheduler is killed is finished by another, from where it was', async ({
  system,
}) => {
  const keys = 2_000;
  const fields = `name: 'morning', schedule: '${minutesAgo(1)}', spreadOver: '8s'`;
  const all = `keys: Array.from({ length: ${keys} }, (_, at) => 'key-' + at)`;
  const programs = await Programs.of(system, `${fields}, ${all}`);
  const [, ...schedulers] = await Promise.all([
    programs.ready('worker'),
    programs.ready('scheduler'),
    programs.ready('scheduler'),
  ]);
  const queue = new WarmUpQueue(system.redis, new Keys(system.namespace));
  const isWell = async (): Promise<void> => {
    const [run] = await queue.unfinished();
    expect(run?.progress?.position).toBeGreaterThan(0);
  };
  await vi.waitFor(isWell, PATIENCE);
  const [taker] = schedulers.filter(({ output }) => output.includes('warm-up morning starts'));
  const [heir] = schedulers.filter((scheduler) => scheduler !== taker);
  await taker?.kill();
  const isDone = (): void => expect(heir?.output).toMatch(/warm-up morning is done/);
  await vi.waitFor(isDone, PATIENCE);
  expect(heir?.output).toMatch(/warm-up morning starts \(morning\.\S+\), from key [1-9]\d* on/);
  const [, loaded, fresh] =
    /is done: (\d+) loaded, (\d+) fresh, 0 failed/.exec(heir?.output ?? '') ?? [];
  expect(Number(loaded) + Number(fresh)).toBe(keys);
  const loads = await programs.loads();
  expect(new Set(loads).size).toBe(keys);
  // Of the jobs that were out when it died, and not told of, most keys are found fresh.
  expect(loads.length).toBeLessThan(keys * 1.1);
});

test('everwarm warm runs a plan or keys of a file now, and everwarm schedule tells of it', async ({
  system,
}) => {
  const keys = 'keys: async function* () { for (let at = 0; at < 12; at++) yield at; }';
  const programs = await Programs.of(
    system,
    `name: 'morning', schedule: '${minutesAgo(120)}', ${keys}`,
  );
  await Promise.all([programs.ready('worker'), programs.ready('scheduler')]);
  const lines = ['a', '', '{"b":1,"a":2}', '42', '" 7"', 'x'.repeat(5_000)];
  const file = await system.file('keys.txt', `${lines.join('\n')}\n`);

  const dry = await programs.ended('warm', 'morning', '--dry-run');
  expect(dry).toEqual({
    code: 0,
    output: '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n…\n12 keys; none was loaded',
  });
  expect(await programs.loads()).toEqual([]);

  const [plan, loader] = await Promise.all([
    programs.ended('warm', 'morning'),
    programs.ended('warm', 'item', '--keys', file),
  ]);
  expect(plan).toMatchObject({ code: 0, output: expect.stringMatching(/12 loaded {2}0 fresh/) });
  expect(loader.output).toMatch(/^line 3: key text .* must be canonical/m);
  expect(loader.output).toMatch(/^line 6: /m);
  expect(loader.output).toMatch(/^2 lines are no keys, and were passed over$/m);
  expect(loader.output).toMatch(/3 loaded {2}0 fresh {2}0 failed/);
  expect(loader.code).toBe(1);
  expect(await programs.loads()).toHaveLength(15);

  const { output } = await programs.ended('schedule');
  expect(output).toMatch(
    /^morning \(loader item, UTC\)\n {2}next {2}\d{4}-\d\d-\d\d \d\d:\d\d \+00:00\n/,
  );
  expect(output).toMatch(
    /last {2}\S+ \S+ \+00:00 completed in \d+ s: 12 loaded, 0 fresh, 0 failed/,
  );
});
