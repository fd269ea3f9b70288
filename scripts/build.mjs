// Compiles src, workers, dashboards, bench, examples and the tests' child processes into dist/, then
// copies what tsc does not: the Lua scripts, and the dashboard's style and scripts. Removes dist/ first, so that no deleted file lives on.
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
cpSync(join(root, 'src/redis/lua'), join(root, 'dist/src/redis/lua'), { recursive: true });
cpSync(join(root, 'dashboards/assets'), join(root, 'dist/dashboards/assets'), { recursive: true });

function compile(project) {
  try {
    execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  } catch {
    process.exit(1); // tsc has already said what is wrong
  }
}
