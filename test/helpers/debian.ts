import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Runs apt-get as root, by a sudo that asks no password if need be. */
export async function aptGet(...words: string[]): Promise<void> {
  // sudo drops the environment, so the variable goes in as a word of the command.
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...words];
  const asRoot = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  const [program = '', ...rest] = asRoot;
  await run(program, rest, { maxBuffer: MAX_OUTPUT_BYTES });
}

/** The first program of one of these names in the folders of the PATH, or in those given. */
export function findOnPath(
  names: readonly string[],
  folders: readonly string[] = (process.env.PATH ?? '').split(delimiter).filter(Boolean),
): string | undefined {
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
