// The benchmarks' peers stand in a package of their own, bench/package.json: the library depends on none of
// them, and one of them wants another ioredis. They are installed by the first run that needs them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder of the sources, seen from dist/bench, where this runs. */
const FOLDER = new URL('../../bench/', import.meta.url);
const STDERR = 2;

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

/** The peers as installed under bench/node_modules. */
export class PeerPackages {
  readonly #require = createRequire(new URL('package.json', FOLDER));

  /** Installs what is missing or of another version than bench/package-lock.json says. */
  constructor() {
    if (!isInstalled()) install();
  }

  async load(specifier: string): Promise<unknown> {
    return import(pathToFileURL(this.#require.resolve(specifier)).href);
  }
}

// npm leaves the second file behind as the last thing of an install: what it really put there.
function isInstalled(): boolean {
  const wanted = readLock('package-lock.json')?.packages;
  const installed = readLock('node_modules/.package-lock.json')?.packages ?? {};
  if (!wanted) return false;
  return Object.entries(wanted).every(
    ([path, { version }]) => path === '' || installed[path]?.version === version,
  );
}

function readLock(path: string): LockFile | null {
  try {
    return JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8')) as LockFile;
  } catch {
    return null;
  }
}

function install(): void {
  const args = ['ci', '--prefix', fileURLToPath(FOLDER), '--ignore-scripts'];
  process.stderr.write('Installing what Everwarm is compared with (npm ci --prefix bench) ...\n');
  // stdout is the benchmark's own: its last line may be read by a program.
  const { status, error } = spawnSync('npm', args, { stdio: ['ignore', STDERR, STDERR] });
  if (status === 0 && isInstalled()) return;
  const how = error ? error.message : status === 0 ? 'left packages out' : `ended with ${status}`;
  throw new Error(
    `Could not install the peers of the benchmark: npm ci --prefix bench ${how}. It needs npm and its ` +
      'registry; see what npm printed above, run that command by hand until it succeeds, and try again.',
  );
}
