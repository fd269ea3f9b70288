import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { type System, test } from '../helpers/system.ts';

const TRACE = fileURLToPath(
  new URL('../../examples/demo/traces/dns_wrccdc_21m.csv.gz', import.meta.url),
);
const TIMES = ['--ttl', '60s', '--load-time', '200ms'];

async function simulate(system: System, ...args: string[]) {
  const child = system.run('src/cli/main.js', ['simulate', ...args]);
  const { code } = await child.exited;
  return { code, output: child.output };
}

describe.concurrent('everwarm simulate', () => {
  test('prints a table, and writes a page', async ({ system }) => {
    const page = await system.file('chart.html', '');
    const { code, output } = await simulate(system, TRACE, ...TIMES, '--html', page);

    expect(code).toBe(0);
    expect(output).toMatch(/24,826 reads of 2,051 keys \(46 hot\) in 1269\.285 s/);
    expect(output).toMatch(/^plain +25\.9 +7\.8 +0\.0 +4,579 +0\.0 +- +11\.3 +0\.0$/m);
    expect(await readFile(page, 'utf8')).toContain('everwarm@5</text>');
  });

  test('takes load times, ttls and thresholds, and prints one line of JSON', async ({ system }) => {
    const keys = TRACE.replace('.csv.gz', '.keys.csv.gz');
    const { output } = await simulate(
      system,
      ...[TRACE, ...TIMES, '--keys', keys, '--ttl-column', '--threshold', '4', '6', '--json'],
    );

    const { policies } = JSON.parse(output);
    expect(Object.keys(policies)).toContain('everwarm@6');
    expect(policies.plain).toMatchObject({ originLoads: expect.any(Number) });
    expect(policies.everwarm.waitPercent).toBeLessThan(policies.refreshAt80.waitPercent);
    expect(output).not.toContain('everwarm@5');
  });

  test('tells which rows it has left out', async ({ system }) => {
    const rows = Array.from({ length: 200 }, (_, at) => `${at * 1_000},a`);
    const file = await system.file('trace.csv', `t_ms,key_id\n${rows.join('\n')}\n0,late\n`);
    const { code, output } = await simulate(system, file, ...TIMES);

    expect(code).toBe(0);
    expect(output).toContain('1 of 201 rows are malformed (line 202: t_ms runs backwards');
  });

  test.for([
    [['none.csv', ...TIMES], 'everwarm: none.csv does not exist'],
    [[TRACE, ...TIMES, '--html', 'none/x.html'], 'the chart cannot be written to none/x.html'],
    [[TRACE, '--ttl', '1m'], "required option '--load-time <duration>' not specified"],
  ] as const)('refuses %j', async ([args, message], { system }) => {
    const { code, output } = await simulate(system, ...args);

    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});
