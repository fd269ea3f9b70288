import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const CHOICES = `Put ${NAMES.join(', ')} on the PATH, or run as root (or with sudo that asks no password) on Debian, where it is installed by apt-get.`;

/**
 * The path of a Chromium, installed first if there is none: Debian's, by apt-get.
 * Takes up to a few minutes then; give the hook that calls it time.
 */
export async function ensureChromium(): Promise<string> {
  const found = findOnPath(NAMES);
  if (found !== undefined) return found;
  await installChromium();
  const installed = findOnPath(NAMES);
  if (installed === undefined) {
    throw new Error(`apt-get installed chromium, yet none is on the PATH. ${CHOICES}`);
  }
  return installed;
}

async function installChromium(): Promise<void> {
  if (findOnPath(['apt-get']) === undefined) {
    throw new Error(`no Chromium on the PATH, and no apt-get to install it. ${CHOICES}`);
  }
  process.stderr.write("browser tests: no Chromium on the PATH, installing Debian's by apt-get\n");
  try {
    await aptGet('update');
    await aptGet('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    const text = `no Chromium on the PATH, and apt-get could not install it. ${CHOICES}`;
    throw new Error(text, { cause: error });
  }
}

async function aptGet(...words: string[]): Promise<void> {
  // sudo drops the environment, so the variable goes in as a word of the command.
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...words];
  const asRoot = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  const [program = '', ...rest] = asRoot;
  await run(program, rest, { maxBuffer: 64 * 1024 * 1024 });
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
