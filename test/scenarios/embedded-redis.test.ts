import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../helpers/redis.ts';

const script = fileURLToPath(
  new URL('../../dist/test/processes/embedded-redis-parent.js', import.meta.url),
);

interface Family {
  readonly parent: ChildProcess;
  readonly parentEnded: Promise<unknown[]>;
  readonly serverPid: number;
  readonly url: string;
}

/** A process, leader of its own group, with its embedded server. */
async function startFamily(then: 'stay' | 'close' | 'end'): Promise<Family> {
  const parent = spawn(process.execPath, [script, then], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const parentEnded = once(parent, 'exit');
  const { value: line } = await createInterface({ input: parent.stdout })
    [Symbol.asyncIterator]()
    .next();
  if (line === undefined) throw new Error(`${script} ended before its server was ready`);
  const { port, pid } = JSON.parse(line) as { port: number; pid: number };
  return { parent, parentEnded, serverPid: pid, url: `redis://127.0.0.1:${port}` };
}

async function directoryOf(family: Family): Promise<string> {
  const [, directory] = (await connect(family.url).config('GET', 'dir')) as [string, string];
  expect(existsSync(directory)).toBe(true);
  return directory;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.for(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'takes the server along when its parent ends by %s',
  async (signal) => {
    const family = await startFamily('stay');
    const directory = await directoryOf(family);

    family.parent.kill(signal);

    expect(await family.parentEnded).toEqual([null, signal]);
    await expect.poll(() => isAlive(family.serverPid)).toBe(false);
    await expect.poll(() => existsSync(directory)).toBe(false);
  },
);

test("takes the server along when its parent's whole process group is killed", async () => {
  const family = await startFamily('stay');
  const directory = await directoryOf(family);

  process.kill(-Number(family.parent.pid), 'SIGKILL');

  await family.parentEnded;
  await expect.poll(() => isAlive(family.serverPid)).toBe(false);
  await expect.poll(() => existsSync(directory)).toBe(false);
});

test.for(['close', 'end'] as const)(
  'does not keep a process alive that has nothing else to do (%s)',
  async (then) => {
    const family = await startFamily(then);

    expect(await family.parentEnded).toEqual([0, null]);
    await expect.poll(() => isAlive(family.serverPid)).toBe(false);
  },
);
