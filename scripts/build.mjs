// Compiles src, workers, dashboards, bench, examples and the tests' child processes into dist/, then
// copies what tsc does not: the Lua scripts, Grafana's dashboard and Prometheus' rules. Removes dist/ first, so that no deleted file lives on.
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
try {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
} catch {
  process.exit(1); // tsc has already said what is wrong
}
for (const folder of ['src/redis/lua', 'dashboards/grafana', 'dashboards/prometheus']) {
  cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true });
}
