import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Metric } from '../../src/metrics/metric.ts';
import { METRICS } from '../../src/metrics/metrics.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      alert: string;
      expr: string;
      annotations: { runbook_url: string };
    }[];
  }[];
}

interface Tests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
  }[];
}

const metrics = Object.values<Metric>(METRICS);
const page = read('docs/metrics.md');
const rows = new Map(
  [
    ...page.matchAll(
      /^\| `(everwarm_\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \| ([^|]*) \| ([^|]*) \|$/gm,
    ),
  ].map(([, name, type, labels, unit, roles, what]) => [
    String(name),
    { type, labels, unit, roles, what },
  ]),
);
const rules = (parse(read('dashboards/prometheus/rules.yml')) as Rules).groups.flatMap(
  (group) => group.rules,
);

test('the page on metrics has every metric of the code, and no other', () => {
  expect([...rows.keys()]).toEqual(metrics.map(({ name }) => name));
});

test.for(metrics.map((metric) => [metric.name, metric] as const))(
  '%s stands on the page as it is',
  ([name, { type, labels, roles, help }]) => {
    expect(rows.get(name)).toEqual({
      type,
      labels: labels.map((label) => `\`${label}\``).join(', ') || 'none',
      unit: expect.stringMatching(/\w/),
      roles: roles.join(', '),
      what: help.replace(/\.$/, ''),
    });
  },
);

test('every label is explained, but those that name what it is about', () => {
  const labels = new Set(metrics.flatMap((metric) => metric.labels));
  for (const label of labels) {
    if (!['loader', 'plan'].includes(label)) expect(page).toContain(`\n| \`${label}\` | `);
  }
});

test('names say their unit, and counters that they are counters', () => {
  for (const { name, type } of metrics) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test.for(['grafana/everwarm.json', 'prometheus/rules.yml', 'prometheus/rules.test.yml'])(
  'dashboards/%s asks for metrics and labels that are there',
  (file) => {
    const known = new Set(metrics.map(({ name }) => name));
    const named = read(`dashboards/${file}`).match(/everwarm_[a-z_]+/g) ?? [];
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known).toContain(name.replace(/_(bucket|sum|count)$/, ''));
  },
);

test('the dashboard shows every metric', () => {
  const dashboard = read('dashboards/grafana/everwarm.json');
  for (const { name } of metrics) expect(dashboard).toContain(name);
});

test.for(rules)('$alert has a runbook', ({ alert, annotations }) => {
  const [file, fragment] = annotations.runbook_url.split('#');
  expect(file).toBe('docs/failure-modes.md');
  expect(fragment).toBe(alert.toLowerCase());
  expect(read('docs/failure-modes.md')).toContain(`\n### ${alert}\n`);
});

test('no runbook is left of an alert that is gone', () => {
  const headings = [...read('docs/failure-modes.md').matchAll(/^### (Everwarm\w+)$/gm)];
  expect(headings.map(([, alert]) => alert)).toEqual(rules.map(({ alert }) => alert));
});

test('every alert has a test in which it fires and one in which it does not', () => {
  const { tests } = parse(read('dashboards/prometheus/rules.test.yml')) as Tests;
  const cases = tests.flatMap((one) => one.alert_rule_test);
  for (const { alert } of rules) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires`,
    ).toBe(true);
    expect(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} does not`,
    ).toBe(true);
  }
});
