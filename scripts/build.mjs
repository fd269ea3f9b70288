// Compiles src, workers, dashboards, bench, examples and the tests' child processes into dist/, then
// copies what tsc does not: the Lua scripts, what the dashboard, Grafana and Prometheus read. Removes dist/
// first, so that no deleted file lives on.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

rmSync(join(root, 'dist'), { recursive: true, force: true });
compile('tsconfig.build.json');
compile('examples/nestjs/tsconfig.build.json'); // by Nest's own rules, against dist/src
const COPIED = [
  'src/redis/lua',
  ...['assets', 'grafana', 'prometheus'].map((name) => `dashboards/${name}`),
];
for (const folder of COPIED) {
  cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true });
}

function compile(project) {
  try {
    execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  } catch {
    process.exit(1); // tsc has already said what is wrong
  }
}
