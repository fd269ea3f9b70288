import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { type Duration, parseDuration } from '../../src/core/duration.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** Option → the text of its default, of the table under a heading of docs/options.md. */
function tableUnder(heading: string): Map<string, string> {
  const after = read('docs/options.md').split(new RegExp(`^#+ ${heading}$`, 'm'))[1] ?? '';
  const section = after.split(/^#/m)[0] ?? '';
  const rows = section.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, option, unit, byDefault, rule]) => {
      expect(unit?.trim(), `unit of ${option}`).not.toBe('');
      expect(rule?.trim(), `rule of ${option}`).not.toBe('');
      return [String(option), String(byDefault).trim()];
    }),
  );
}

/** Option → the text of its `@defaultValue`, or '' without one, of an interface in the source. */
function optionsOf(file: string, name: string): Map<string, string> {
  const body = read(file).split(new RegExp(`^export interface ${name}\\b.*\\{$`, 'm'))[1] ?? '';
  const members = (body.split(/^\}$/m)[0] ?? '').matchAll(
    /^ {2}\/\*\*([\s\S]*?)\*\/\n {2}readonly (\w+)\??:/gm,
  );
  return new Map(
    [...members].map(([, comment, option]) => {
      const byDefault = /@defaultValue ([^\n]*?)\s*$/m.exec(String(comment))?.[1] ?? '';
      return [String(option), byDefault];
    }),
  );
}

const SECTIONS = [
  [
    'Every role',
    [
      new Map([
        ...optionsOf('src/config/options.ts', 'RoleOptions'),
        ...optionsOf('src/config/metrics-option.ts', 'WithMetrics'),
      ]),
    ],
  ],
  ['metrics', [optionsOf('src/config/metrics-option.ts', 'MetricsOptions')]],
  ['createCache', [optionsOf('src/config/options.ts', 'CacheOptions')]],
  ['memory', [optionsOf('src/config/memory-option.ts', 'MemoryOptions')]],
  ['warmOnStart', [optionsOf('src/config/options.ts', 'WarmOnStartOptions')]],
  ['cache.ready', [optionsOf('src/warm/warm-start.ts', 'ReadyOptions')]],
  ['cache.warm', [optionsOf('src/warm/warmer.ts', 'WarmOptions')]],
  [
    'createScheduler',
    [
      new Map([
        ...optionsOf('src/config/options.ts', 'SchedulerOptions'),
        ...optionsOf('src/warm/with-warm-ups.ts', 'WithWarmUps'),
      ]),
    ],
  ],
  ['defineWarmUp', [optionsOf('src/warm/define-warm-up.ts', 'WarmUpDefinition')]],
  ['createDashboard', [optionsOf('dashboards/options.ts', 'DashboardOptions')]],
  ['createWorker', [optionsOf('src/config/options.ts', 'WorkerOptions')]],
  ['defineLoader', [optionsOf('src/loaders/define-loader.ts', 'LoaderDefinition')]],
  ['emptyGuard', [optionsOf('src/config/empty-guard-option.ts', 'EmptyGuardOptions')]],
  ['compress', [optionsOf('src/config/value-format.ts', 'CompressOptions')]],
  ['origin', [optionsOf('src/config/origin-option.ts', 'OriginOptions')]],
  ['breaker', [optionsOf('src/config/origin-option.ts', 'BreakerOptions')]],
  ['limit', [optionsOf('src/config/rate-limit.ts', 'LimitOptions')]],
  ['createRateLimiter', [optionsOf('src/config/rate-limit.ts', 'RateLimiterOptions')]],
  ['take', [optionsOf('src/create-rate-limiter.ts', 'TakeOptions')]],
  ['refresh', [optionsOf('src/config/refresh-option.ts', 'RefreshOptions')]],
] as const;

const withLoaders = optionsOf('src/loaders/registry.ts', 'WithLoaders');

describe.each(SECTIONS)('the table %s', (heading, [inCode]) => {
  const onPage = tableUnder(heading);

  test('has every option of the code, and no other', () => {
    const options = [...inCode.keys(), ...(heading === 'Every role' ? withLoaders.keys() : [])];
    expect(inCode.size).toBeGreaterThan(0);
    expect([...onPage.keys()].sort()).toEqual(options.sort());
  });

  test('tells the defaults that the comments in the code tell', () => {
    const told = [...inCode].filter(([, byDefault]) => byDefault !== '');
    expect(told.map(([option]) => [option, onPage.get(option)])).toEqual(told);
  });
});

/** Names of DEFAULTS that differ from their option's. */
const NAMES: Readonly<Record<string, string>> = {
  redisUrl: 'redis',
  emptyGuardShare: 'share',
  emptyGuardAtLeast: 'atLeast',
  compressAboveBytes: 'above',
};
/** Defaults whose option's name stands in several tables: which one, and the name. */
const SECTION_OF: Readonly<Record<string, readonly [section: string, option: string]>> = {
  memoryTtlMs: ['memory', 'ttl'],
  concurrency: ['createWorker', 'concurrency'],
  warmConcurrency: ['cache.warm', 'concurrency'],
  warmTimeoutMs: ['cache.ready', 'timeout'],
};
/** A default that is no option: it stands under "Not options". */
const FIXED = ['writeTimeoutMs'];

describe('every default of the code', () => {
  const rows = SECTIONS.flatMap(([heading]) =>
    [...tableUnder(heading)].map(([row, byDefault]) => ({ heading, row, byDefault })),
  );
  const options = Object.entries(DEFAULTS).filter(([name]) => !FIXED.includes(name));

  test.for(options)('%s is on the page as it is', ([name, value]) => {
    const [section, option = NAMES[name] ?? name.replace(/Ms$/, '')] = SECTION_OF[name] ?? [];
    const shown = rows
      .filter(({ heading, row }) => row === option && heading === (section ?? heading))
      .map(({ byDefault }) => byDefault);
    expect(shown).not.toEqual([]);
    for (const byDefault of shown) expect(literalOf(byDefault, name)).toBe(value);
  });

  test('that cannot be changed is named as such', () => {
    const [, notOptions = ''] = read('docs/options.md').split('## Not options');
    const written = `${DEFAULTS.writeTimeoutMs.toLocaleString('en')} ms (\`writeTimeout\`)`;
    expect(notOptions).toContain(written);
  });
});

/** The value that a default's text stands for: its last literal, in milliseconds if it is a span. */
function literalOf(byDefault: string, name: string): unknown {
  const literal =
    byDefault
      .match(/`[^`]*`/g)
      ?.at(-1)
      ?.slice(1, -1) ?? '';
  const value = /^'.*'$/.test(literal) ? literal.slice(1, -1) : literal;
  const number = Number(value);
  if (!Number.isNaN(number)) return number;
  return name.endsWith('Ms') ? parseDuration(value as Duration, name) : value;
}
