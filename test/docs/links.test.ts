import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** A heading as the fragment of an address. */
function fragmentOf(heading: string): string {
  const letters = heading.toLowerCase().replace(/[^\p{Letter}\p{Number} _-]/gu, '');
  return letters.replaceAll(' ', '-');
}

function fragmentsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => fragmentOf(String(heading)));
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`),
].filter((page) => page.endsWith('.md'));

test.for(pages)('%s links to what is there', (page) => {
  for (const [link, path, fragment] of read(page).matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
    const target = path ? join(dirname(page), path) : page;
    expect(existsSync(join(root, target)), link).toBe(true);
    if (fragment) expect(fragmentsOf(target), link).toContain(fragment);
  }
});

test('the page of the architecture is read at one sitting: 120 lines', () => {
  expect(read('docs/architecture.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120);
});

test('the README lists every page of docs/', () => {
  for (const page of pages.slice(2)) expect(read('README.md')).toContain(`| [${page}](${page}) |`);
});
