import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { aptGet, findOnPath } from './debian.ts';
import { freePort } from './port.ts';

const run = promisify(execFile);
const KEPT = fileURLToPath(
  new URL('../../node_modules/.cache/everwarm/prometheus', import.meta.url),
);
const CHOICES =
  'Put prometheus and promtool on the PATH, or run on Debian or Ubuntu, whose package is unpacked by apt-get and dpkg-deb.';

/** Paths of the two programs. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * The programs of Prometheus; Debian's package is fetched first if there are none. It is only unpacked, not
 * installed: no service starts, and nothing of the machine changes. Takes up to a minute then.
 */
export async function ensurePrometheus(): Promise<PrometheusPrograms> {
  const found = findPrograms();
  if (found) return found;
  process.stderr.write("tests: no prometheus on the PATH, fetching Debian's by apt-get\n");
  const folder = mkdtempSync(join(tmpdir(), 'everwarm-prometheus-'));
  try {
    await unpackInto(folder);
  } catch (cause) {
    throw new Error(`no prometheus on the PATH, and it could not be fetched. ${CHOICES}`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const fetched = findPrograms();
  if (fetched) return fetched;
  throw new Error(`the package has no prometheus and promtool in usr/bin. ${CHOICES}`);
}

function findPrograms(): PrometheusPrograms | null {
  for (const folders of [undefined, [join(KEPT, 'usr/bin')]]) {
    const prometheus = findOnPath(['prometheus'], folders);
    const promtool = findOnPath(['promtool'], folders);
    if (prometheus && promtool) return { prometheus, promtool };
  }
  return null;
}

async function unpackInto(folder: string): Promise<void> {
  const download = (): Promise<unknown> =>
    run('apt-get', ['download', 'prometheus'], { cwd: folder });
  // Without lists of packages it knows none: then, and only then, root is needed.
  await download().catch(() => aptGet('update').then(download));
  const [archive = ''] = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  // Beside where it will be: complete or not there, whoever else is fetching it.
  mkdirSync(join(KEPT, '..'), { recursive: true });
  const unpacked = mkdtempSync(`${KEPT}-`);
  await run('dpkg-deb', ['-x', join(folder, archive), unpacked]);
  rmSync(KEPT, { recursive: true, force: true });
  renameSync(unpacked, KEPT);
}

/** A Prometheus for one test that scrapes these targets twice a second. */
export async function startPrometheus(
  program: string,
  given: { readonly targets: readonly string[]; readonly rules: string },
): Promise<{ get<T>(path: string): Promise<T> }> {
  const folder = mkdtempSync(join(tmpdir(), 'everwarm-prometheus-'));
  const config = join(folder, 'prometheus.json');
  const scrape = { job_name: 'everwarm', static_configs: [{ targets: given.targets }] };
  writeFileSync(
    config,
    // JSON is YAML too.
    JSON.stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
      rule_files: [given.rules],
      scrape_configs: [scrape],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const process = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  process.stderr.on('data', (text) => {
    log += text;
  });
  const ended = once(process, 'close');
  onTestFinished(async () => {
    process.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const get = async <T>(path: string): Promise<T> => {
    if (process.exitCode !== null) throw new Error(`prometheus has ended:\n${log}`);
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return { get };
}
