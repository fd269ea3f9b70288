import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** An empty project in which `everwarm` is this repository as it was built. */
function newProject(): string {
  const project = mkdtempSync(join(tmpdir(), 'everwarm-readme-'));
  onTestFinished(() => rmSync(project, { recursive: true, force: true }));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/everwarm'));
  return project;
}

/** The code block that stands after a text. */
function codeAfter(text: string): string {
  const [, code] = /```\w+\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(text))) ?? [];
  if (!code) throw new Error(`README.md has no code after "${text}"`);
  return code;
}

it("runs the README's smallest program by the README's command", async () => {
  const project = newProject();
  writeFileSync(join(project, 'loaders.mjs'), codeAfter('`loaders.mjs` names'));
  writeFileSync(join(project, 'app.mjs'), codeAfter('`app.mjs` reads'));
  const [, command = ''] = /npx everwarm (dev .*)/.exec(readme) ?? [];
  const args = command.replace(' -- ', ' --dashboard-port 0 -- ').split(' ');
  const cli = join(root, 'dist/src/cli/main.js');
  const { REDIS_URL: _, ...env } = process.env;

  const { stdout } = await run(process.execPath, [cli, ...args], { cwd: project, env });

  const answers = stdout.split('\n').filter((line) => line.includes("id: 'sku-42'"));
  expect(answers).toHaveLength(2);
  expect(answers[1]).toBe(answers[0]);
  expect(stdout).toContain('dashboard http://127.0.0.1:');
});

it("runs the README's tour of the cache", async () => {
  const project = newProject();
  writeFileSync(join(project, 'loaders.mjs'), codeAfter('`loaders.mjs` names'));
  const tour = codeAfter('## Using it')
    .replace('redis://cache:6379', redisUrl())
    .replace('redis://queue:6379', redisUrl())
    .replace('loaders: [product]', `loaders: [product], namespace: '${uniqueNamespace()}'`);
  writeFileSync(
    join(project, 'tour.mjs'),
    `import { createCache } from 'everwarm';
    import { product } from './loaders.mjs';
    ${tour}
    console.log(JSON.stringify(await cache.getWithMeta(product, 'sku-42')));
    await cache.close();`,
  );

  const { stdout } = await run(process.execPath, ['tour.mjs'], { cwd: project });

  expect(JSON.parse(stdout)).toMatchObject({ source: 'loader', value: { price: 42 } });
});

it('names only pages that exist', () => {
  const links = [...readme.matchAll(/\]\(([\w./-]+\.(?:md|yml))\)/g)].map(([, path]) => path);
  expect(links.length).toBeGreaterThan(5);
  for (const path of links) expect(() => readFileSync(join(root, path ?? ''))).not.toThrow();
});
