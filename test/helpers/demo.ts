import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = new URL('../../dist/examples/demo/', import.meta.url);

/** Runs a demo, without a server of ours, and answers the last line of what it prints. */
export async function demo(file: string, args: readonly string[]): Promise<string> {
  const { REDIS_URL: _, ...env } = process.env;
  const path = fileURLToPath(new URL(file, folder));
  const { stdout } = await run(process.execPath, [path, ...args], { env });
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}
