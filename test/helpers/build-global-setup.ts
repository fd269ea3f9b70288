import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const sources = ['src', 'workers', 'dashboards', 'bench', 'examples', 'test/processes', 'scripts'];
const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
const stamp = join(root, 'dist/.built');
const lock = join(root, 'node_modules/.everwarm-build.lock');
const LOCK_POLL_MS = 100;

/**
 * Compiles dist/, which scenarios run. Projects and runs that start at the same time build one after
 * the other, and not at all if nothing has changed: a build removes dist/ under whoever is using it.
 */
export default async function setup(): Promise<void> {
  if (process.env.EVERWARM_SKIP_BUILD === '1') return;
  await acquireLock();
  try {
    const startedAt = new Date();
    if (newestSourceMs() < modifiedMs(stamp)) return;
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
    writeFileSync(stamp, '');
    utimesSync(stamp, startedAt, startedAt); // what was edited during the build is not in it
  } finally {
    rmSync(lock, { force: true });
  }
}

async function acquireLock(): Promise<void> {
  while (!createLock()) {
    if (!holderIsAlive()) rmSync(lock, { force: true });
    else await sleep(LOCK_POLL_MS); // a file tells nobody when it goes
  }
}

function createLock(): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderIsAlive(): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return pid === 0 || process.kill(pid, 0); // 0: created, its pid not yet written
  } catch {
    return false; // the holder died, or has just given the lock back
  }
}

/** Directories count too: a deleted file changes the time of its directory only. */
function newestSourceMs(): number {
  const files = sources.flatMap((source) => [
    source,
    ...readdirSync(join(root, source), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(source, name),
    ),
  ]);
  return Math.max(...[...files, ...settings].map((file) => modifiedMs(join(root, file))));
}

/** 0 for what is not there. */
function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
