import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const source = read('src/core/events.ts');
const bodyOf = (name: string): string =>
  source.split(`export interface ${name} {\n`)[1]?.split(/^\}$/m)[0] ?? '';
const fieldsIn = (text: string): string[] =>
  [...text.matchAll(/readonly (\w+):/g)].map(([, field]) => String(field));

/** Event → its type as it is written. */
const types = bodyOf('EventMap')
  .replace(/\/\*\*[\s\S]*?\*\//g, '')
  .split(/^ {2}'/m)
  .slice(1)
  .map((text) => [text.slice(0, text.indexOf("'")), text] as const);

/** Event → its fields, those of the types it builds on included. */
const events = types.map(([name, text]) => {
  const bases = ['KeyEvent', 'InvalidationEvent', 'RunEvent', 'RunCounts'].filter((base) =>
    text.includes(base),
  );
  return [name, [...bases.map(bodyOf), text].flatMap(fieldsIn)] as const;
});

const page = read('docs/events.md');
const rows = new Map(
  [...page.matchAll(/^\| `([a-z]+:[a-z]+)` \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, name, fields, when]) => [String(name), { fields: String(fields), when: String(when) }],
  ),
);

test('the page on events has every event of the code, and no other', () => {
  expect(events.length).toBeGreaterThan(15);
  expect([...rows.keys()].sort()).toEqual(events.map(([name]) => name).sort());
});

test.for(events)('%s has its fields on the page, and when it happens', ([name, fields]) => {
  const { fields: told = '', when = '' } = rows.get(name) ?? {};
  expect(told.split(', ').sort()).toEqual(fields.map((field) => `\`${field}\``).sort());
  expect(when).not.toBe('');
});

test.for(types)('the values that %s may have stand on the page', ([, text]) => {
  for (const [literal] of text.matchAll(/(?<=[|:] *)'[a-z-]+'/g)) expect(page).toContain(literal);
});

test('every event that another page names is one', () => {
  const pages = ['docs/failure-modes.md', 'docs/wrapping.md', 'docs/invalidation.md', 'README.md'];
  const named = pages.flatMap((path) => [...read(path).matchAll(/`([a-z]+:[a-z]+)`/g)]);
  expect(named.length).toBeGreaterThan(10);
  for (const [, name] of named) expect(rows.has(String(name)), `\`${name}\``).toBe(true);
});
