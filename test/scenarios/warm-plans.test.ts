import { readFile } from 'node:fs/promises';
import { describe, expect, vi } from 'vitest';
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

const plan = (fields: string): string =>
  `name: 'morning', schedule: '${minutesAgo(120)}', ${fields}`;

describe.concurrent('warm-up plans', () => {
  test('a run whose scheduler is killed is finished by another, from where it was', async ({
    system,
  }) => {
    const keys = 2_000;
    const due = `name: 'morning', schedule: '${minutesAgo(1)}', spreadOver: '4s', keys: Array.from({ length: ${keys} }, (_, at) => 'key-' + at)`;
    const programs = await Programs.of(system, due);
    await programs.ready('worker');
    const schedulers = await Promise.all([
      programs.ready('scheduler'),
      programs.ready('scheduler'),
    ]);
    const starts = /warm-up morning starts/;
    await vi.waitFor(
      async () => expect((await programs.loads()).length).toBeGreaterThan(keys / 3),
      PATIENCE,
    );
    const [taker] = schedulers.filter(({ output }) => starts.test(output));
    const [heir] = schedulers.filter((scheduler) => scheduler !== taker);
    await taker?.kill();
    await vi.waitFor(() => expect(heir?.output).toMatch(/warm-up morning is done/), PATIENCE);
    expect(heir?.output).toMatch(/warm-up morning starts \(morning\.\S+\), from key [1-9]\d* on/);
    const loads = await programs.loads();
    expect(new Set(loads).size).toBe(keys);
    // Jobs that were out when it died; their keys are found fresh, most of them.
    expect(loads.length).toBeLessThan(keys * 1.1);
  });

  test('everwarm warm runs a plan now, and everwarm schedule tells of it', async ({ system }) => {
    const programs = await Programs.of(system, plan("keys: ['a', 'b']"));
    expect(await programs.ended('schedule')).toMatchObject({
      code: 0,
      output: expect.stringMatching(
        /^morning \(loader item, UTC\)\n {2}next {2}\d{4}-\d\d-\d\d \d\d:\d\d \+00:00\n {2}last {2}none known$/,
      ),
    });
    await Promise.all([programs.ready('worker'), programs.ready('scheduler')]);
    const run = await programs.ended('warm', 'morning');
    expect(run).toMatchObject({
      code: 0,
      output: expect.stringMatching(/100 % {2}2 of 2 {2}2 loaded/),
    });
    expect((await programs.loads()).sort()).toEqual(['a', 'b']);
    const { output } = await programs.ended('schedule');
    expect(output).toMatch(
      /last {2}\S+ \S+ \+00:00 completed in \d+ s: 2 loaded, 0 fresh, 0 failed/,
    );
  });

  test('everwarm warm --dry-run counts the keys and loads none', async ({ system }) => {
    const many = plan('keys: async function* () { for (let at = 0; at < 12; at++) yield at; }');
    const programs = await Programs.of(system, many);
    await programs.ready('worker');
    const shown = [
      ...Array.from({ length: 10 }, (_, at) => String(at)),
      '…',
      '12 keys; none was loaded',
    ];
    expect(await programs.ended('warm', 'morning', '--dry-run')).toEqual({
      code: 0,
      output: shown.join('\n'),
    });
    expect(await programs.loads()).toEqual([]);
  });

  test('everwarm warm says so when the plan fails, and when nobody can run it', async ({
    system,
  }) => {
    const programs = await Programs.of(system, plan("keys: () => { throw new Error('no list') }"));
    const alone = programs.run('warm', 'morning');
    await printed(alone, /no scheduler with warm-ups runs; start one with `everwarm scheduler`/);
    await programs.ready('scheduler');
    const { code } = await alone.exited;
    expect(code).toBe(1);
    expect(alone.output).toMatch(/failed: .*no list/);
  });

  test('everwarm warm takes a loader’s keys from a file, and names its bad lines', async ({
    system,
  }) => {
    const programs = await Programs.of(system);
    await programs.ready('worker');
    const lines = ['a', '', '{"b":1,"a":2}', '42', '{"a":1}', '" 7"', 'x'.repeat(5_000)];
    const file = await system.file('keys.txt', `${lines.join('\n')}\n`);
    const { code, output } = await programs.ended('warm', 'item', '--keys', file);
    expect(code).toBe(1);
    expect(output).toMatch(/^line 3: key text .* must be canonical/m);
    expect(output).toMatch(/^line 7: /m);
    expect(output).toMatch(/^2 lines are no keys, and were passed over$/m);
    expect((await programs.loads()).sort()).toEqual([' 7', '42', '[object Object]', 'a']);
  });

  test.for([
    [
      ['warm', 'evening'],
      /"evening" is neither a warm-up nor a loader \(warm-ups: morning; loaders: item\)/,
    ],
    [['warm', 'item'], /`warm` \("item"\) is a loader: it needs --keys FILE or --hottest N/],
    [['warm', 'morning', '--hottest', '5'], /is a warm-up: it has its keys/],
    [['warm', 'item', '--hottest', '5', '--keys', 'x'], /cannot go with --keys/],
    [['warm', 'item', '--keys', 'nofile'], /keys file nofile does not exist/],
  ] as const)('refuses everwarm %j', async ([[command, ...args], message], { system }) => {
    const programs = await Programs.of(system, plan("keys: ['a']"));
    expect(await programs.ended(command, ...args)).toEqual({
      code: 1,
      output: expect.stringMatching(message),
    });
  });
});
