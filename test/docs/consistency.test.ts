import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const named = [...read('docs/consistency.md').matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g)];

test('the page names a test for what it says', () => {
  expect(named.length).toBeGreaterThan(25);
});

test.for(named.map(([, title = '', file = '']) => [title, file] as const))(
  '“%s” is a test of %s',
  ([title, file]) => {
    expect(read(file)).toContain(title);
  },
);
