import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect } from 'vitest';
import { type Child, compiled } from '../helpers/child.ts';
import {
  ensurePrometheus,
  type PrometheusPrograms,
  startPrometheus,
} from '../helpers/prometheus.ts';
import { printed, type System, test } from '../helpers/system.ts';

const run = promisify(execFile);
const FETCHING_MS = 300_000;
const PATIENCE_MS = 50_000;
const SLOW_MS = 120_000;
const library = JSON.stringify(compiled('src/index.js'));
const rules = compiled('dashboards/prometheus/rules.yml');

const LOADERS = `
import { defineLoader, defineWarmUp } from ${library};
export const item = defineLoader({
  name: 'item',
  ttl: '2s',
  refresh: { threshold: 1 },
  origin: {},
  load: async (id) => 'value of ' + id,
});
export const plan = defineWarmUp({
  name: 'new-year', loader: item, schedule: '0 0 1 1 *', timezone: 'UTC', keys: ['a'],
});
`;

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

interface RuleGroups {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly name: string;
      readonly health: string;
      readonly lastError?: string;
    }[];
  }[];
}

/** Each query of the dashboard, as Grafana would send it for all loaders. */
function queries(): { readonly title: string; readonly query: string }[] {
  const text = readFileSync(compiled('dashboards/grafana/everwarm.json'), 'utf8');
  return (JSON.parse(text) as Dashboard).panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => {
      const query = expr.replaceAll('$loader', '.*').replaceAll('$__rate_interval', '10s');
      return { title, query };
    }),
  );
}

async function started(system: System, file: string, args: readonly string[]): Promise<string> {
  const child: Child = system.run(file, args);
  await printed(child, /\bready\b/);
  return /metrics http:\/\/(\S+)\/metrics/.exec(child.output)?.[1] ?? '';
}

describe.concurrent('Prometheus', () => {
  let programs: PrometheusPrograms;

  beforeAll(async () => {
    programs = await ensurePrometheus();
  }, FETCHING_MS);

  test(
    'takes the rules, and finds each alert firing where it should and only there',
    async () => {
      const { stdout } = await run(programs.promtool, ['check', 'rules', rules]);
      expect(stdout).toMatch(/SUCCESS: \d\d rules found/);
      await run(programs.promtool, ['test', 'rules', 'rules.test.yml'], { cwd: dirname(rules) });
    },
    SLOW_MS,
  );

  test(
    'has every series of the dashboard when it scrapes an application, a worker and a scheduler',
    async ({ system }) => {
      const file = await system.file('loaders.mjs', LOADERS);
      const flags = ['--loaders', file, '--redis', system.url, '--namespace', system.namespace];
      const role = (name: string): Promise<string> =>
        started(system, 'src/cli/main.js', [name, ...flags, '--metrics-port', '0']);
      const targets = await Promise.all([
        started(system, 'test/processes/scraped-app.js', [file]),
        role('worker'),
        role('scheduler'),
      ]);
      const prometheus = await startPrometheus(programs.prometheus, { targets, rules });

      const empty = async (): Promise<unknown[]> => {
        const answers = await Promise.all(
          queries().map(async ({ title, query }) => {
            const path = `query?query=${encodeURIComponent(query)}`;
            const { result } = await prometheus.get<{ result: readonly unknown[] }>(path);
            return { title, query, isEmpty: result.length === 0 };
          }),
        );
        return answers.filter(({ isEmpty }) => isEmpty);
      };
      expect(queries().length).toBeGreaterThan(30);
      await expect.poll(empty, { timeout: PATIENCE_MS, interval: 500 }).toEqual([]);
      const { groups } = await prometheus.get<RuleGroups>('rules');
      const evaluated = groups.flatMap((group) => group.rules);
      expect(evaluated.length).toBeGreaterThan(9);
      expect(evaluated.filter(({ health }) => health === 'err')).toEqual([]);
    },
    SLOW_MS,
  );
});
