// Installs the packed package into an empty project, compiles there against its types, without sparing
// those of what it depends on, and runs what the README shows: its program by `npx everwarm dev`. What is
// tested here is what a user gets, not the repository.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const project = mkdtempSync(join(tmpdir(), 'everwarm-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', project], root),
  );
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`], project);
  console.log(`compiled against ${checkTypes()} exports of the package`);
  for (const [name, code] of readmePrograms()) writeFileSync(join(project, name), code);

  const args = [
    'everwarm',
    'dev',
    '--loaders',
    'loaders.mjs',
    '--dashboard-port',
    '0',
    '--',
    'node',
    'app.mjs',
  ];
  const output = run('npx', args, project);
  const answers = output.split('\n').filter((line) => line.includes("id: 'sku-42'"));
  if (answers.length !== 2 || answers[0] !== answers[1]) {
    throw new Error(`the README's program printed something else:\n${output}`);
  }
  console.log(`installed ${filename}; the README's program ran and read its value from Redis`);
} finally {
  rmSync(project, { recursive: true, force: true });
}

/** The README's two files, by the names that stand before them. */
function readmePrograms() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const files = [...readme.matchAll(/`(\w+\.mjs)`[^\n]*\n\n```js\n([\s\S]*?)```/g)];
  if (files.length !== 2) throw new Error('README.md must show loaders.mjs and app.mjs');
  return files.map(([, name, code]) => [name, code]);
}

/** Compiles a program that imports all there is; answers how many exports that are. */
function checkTypes() {
  const index = readFileSync(join(project, 'node_modules/everwarm/dist/src/index.d.ts'), 'utf8');
  const names = [...index.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, list]) => list.split(','))
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '');
  const program = `import { createCache, defineLoader } from 'everwarm';
    export type { ${names.join(', ')} } from 'everwarm';
    const product = defineLoader({
      name: 'product',
      ttl: (value) => (value === null ? '1s' : '5m'),
      nominalTtl: '5m',
      memory: { maxEntries: 10 },
      load: async (id: string) => ({ id, price: 42 }),
    });
    const cache = createCache({ loaders: [product] });
    export const price: number = (await cache.get(product, 'sku-42')).price;
    // @ts-expect-error: its params are text
    await cache.get(product, 42);`;
  writeFileSync(join(project, 'program.ts'), program);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const config = { compilerOptions, files: ['program.ts'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(process.execPath, [join(dirname(typescript), 'bin/tsc'), '-p', project], {
    stdio: 'inherit',
  });
  return names.length;
}
