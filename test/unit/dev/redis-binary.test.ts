import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  ensureRedisServer,
  findRedisServer,
  installPlan,
  type Machine,
  type MachineFacts,
} from '../../../src/dev/redis-binary.ts';

const bare: MachineFacts = {
  platform: 'linux',
  isRoot: false,
  hasSudo: false,
  hasApt: false,
  hasBrew: false,
  hasSystemd: false,
};
const debianRoot: MachineFacts = { ...bare, isRoot: true, hasApt: true };

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'everwarm-path-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function addExecutable(directory: string, name: string): string {
  const file = join(directory, name);
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

interface FakeMachine extends Machine {
  readonly commands: string[];
}

/** A machine whose commands answer with the given outputs in turn: '' is a success, text a failure. */
function fakeMachine(options: {
  facts: MachineFacts;
  outputs?: string[];
  onCommand?: (command: string, path: string) => void;
}): FakeMachine {
  const path = emptyDirectory();
  const outputs = [...(options.outputs ?? [])];
  const commands: string[] = [];
  return {
    path,
    commands,
    facts: async () => options.facts,
    run: async (argv) => {
      commands.push(argv.filter((word) => !word.includes('=')).join(' '));
      options.onCommand?.(argv.join(' '), path);
      const output = outputs.shift() ?? '';
      return { ok: output === '', output };
    },
    waitForLock: async () => {},
  };
}

const installs = (command: string, path: string): void => {
  if (command.includes('install')) addExecutable(path, 'redis-server');
};

test('finds redis-server before valkey-server, whatever the order of the directories', () => {
  const [first, second] = [emptyDirectory(), emptyDirectory()];
  const valkey = addExecutable(first, 'valkey-server');
  expect(findRedisServer(`${first}${delimiter}${second}`)).toBe(valkey);

  const redis = addExecutable(second, 'redis-server');
  expect(findRedisServer(`${first}${delimiter}${second}`)).toBe(redis);
});

test('passes over directories and files that cannot be executed', () => {
  const path = emptyDirectory();
  mkdirSync(join(path, 'redis-server'));
  writeFileSync(join(path, 'valkey-server'), '', { mode: 0o644 });

  expect(findRedisServer(path)).toBeNull();
  expect(findRedisServer('')).toBeNull();
});

test('installs with apt-get as root, with sudo if it asks for no password', () => {
  const plan = installPlan(debianRoot);
  expect(plan).toMatchObject({
    kind: 'install',
    steps: [
      { argv: expect.arrayContaining(['update']) },
      { argv: expect.arrayContaining(['redis-server']) },
    ],
  });
  const bySudo = installPlan({ ...debianRoot, isRoot: false, hasSudo: true });
  expect(bySudo).toMatchObject({
    line: expect.stringContaining('sudo apt-get install'),
    steps: [{ argv: expect.arrayContaining(['sudo', '-n']) }, { mayFail: false }],
  });
});

test("switches off the service of Debian's package where systemd runs, and says so", () => {
  const plan = installPlan({ ...debianRoot, hasSystemd: true });

  expect(plan).toMatchObject({ line: expect.stringContaining('port 6379 is switched off') });
  expect(plan).toHaveProperty('steps.2.argv', expect.arrayContaining(['disable', '--now']));
});

test('installs with brew on macOS, and on a Linux where apt-get is of no use', () => {
  const brew = { kind: 'install', steps: [{ argv: ['brew', 'install', 'redis'] }] };
  expect(installPlan({ ...bare, platform: 'darwin', hasBrew: true })).toMatchObject(brew);
  expect(installPlan({ ...bare, hasApt: true, hasBrew: true })).toMatchObject(brew);
});

test.for([
  [{ ...bare, hasApt: true }, /sudo is missing or asks for a password/],
  [{ ...bare, platform: 'darwin', hasBrew: true, isRoot: true }, /refuses to run as root/],
  [{ ...bare, platform: 'win32' }, /win32 has neither/],
] as [MachineFacts, RegExp][])('knows what stands in the way: %o', ([facts, why]) => {
  expect(installPlan(facts)).toEqual({ kind: 'impossible', why: expect.stringMatching(why) });
});

test('does nothing where a server is on the PATH', async () => {
  const machine = fakeMachine({ facts: debianRoot });
  const server = addExecutable(machine.path, 'redis-server');

  expect(await ensureRedisServer(unexpected, machine)).toBe(server);
  expect(machine.commands).toEqual([]);
});

test('says what it installs before it does', async () => {
  const lines: string[] = [];
  const machine = fakeMachine({
    facts: debianRoot,
    onCommand: (command, path) => {
      expect(lines).toHaveLength(1);
      installs(command, path);
    },
  });

  const server = await ensureRedisServer((line) => lines.push(line), machine);

  expect(server).toBe(join(machine.path, 'redis-server'));
  expect(lines).toEqual([expect.stringContaining('apt-get install'), `installed ${server}`]);
});

test('waits for the package lock that another process holds', async () => {
  const locked =
    'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)';
  const lines: string[] = [];
  const machine = fakeMachine({
    facts: debianRoot,
    outputs: [locked, locked, ''],
    onCommand: installs,
  });

  await ensureRedisServer((line) => lines.push(line), machine);

  expect(machine.commands).toHaveLength(4);
  expect(lines.filter((line) => line.includes('waiting'))).toHaveLength(1);
});

test('installs although a package source cannot be updated', async () => {
  const machine = fakeMachine({
    facts: debianRoot,
    outputs: ['E: The repository is not signed.'],
    onCommand: installs,
  });

  await expect(ensureRedisServer(() => {}, machine)).resolves.toContain('redis-server');
});

test('names all choices where nothing can be installed', async () => {
  const machine = fakeMachine({ facts: bare });

  const error = await ensureRedisServer(unexpected, machine).catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ code: 'REDIS_NOT_INSTALLED' });
  for (const choice of ['brew install redis', 'docker compose up', 'REDIS_URL=']) {
    expect(String(error)).toContain(choice);
  }
  expect(machine.commands).toEqual([]);
});

test("fails with the installer's last lines", async () => {
  const machine = fakeMachine({
    facts: debianRoot,
    outputs: [
      'E: no network',
      'Reading package lists...\nE: Unable to locate package redis-server',
    ],
  });

  await expect(ensureRedisServer(() => {}, machine)).rejects.toMatchObject({
    code: 'REDIS_NOT_INSTALLED',
    message: expect.stringContaining('Unable to locate package redis-server'),
    cause: expect.any(Error),
  });
});

function unexpected(line: string): void {
  throw new Error(`said ${line}`);
}
