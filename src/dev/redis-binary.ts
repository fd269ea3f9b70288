import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EverwarmError } from '../core/errors.ts';

const SERVER_NAMES = ['redis-server', 'valkey-server'];
const LOCK_ATTEMPTS = 90;
const LOCK_RETRY_MS = 2_000;
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const LOCKED =
  /could not get lock|unable to (?:acquire|lock)|already locked|another active homebrew/i;

/** What decides which installer, if any, can be used here. */
export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** sudo works without asking for a password. */
  readonly hasSudo: boolean;
  readonly hasApt: boolean;
  readonly hasBrew: boolean;
  /** systemd runs, so Debian's package starts a service of its own on port 6379. */
  readonly hasSystemd: boolean;
}

interface InstallStep {
  readonly argv: readonly [string, ...string[]];
  /** A failure is passed over: the steps after it decide. */
  readonly mayFail: boolean;
}

type InstallPlan =
  | { readonly kind: 'install'; readonly line: string; readonly steps: readonly InstallStep[] }
  | { readonly kind: 'impossible'; readonly why: string };

/** The machine as `ensureRedisServer` sees and changes it: injected, so that tests install nothing. */
export interface Machine {
  readonly path: string;
  facts(): Promise<MachineFacts>;
  run(argv: InstallStep['argv']): Promise<{ readonly ok: boolean; readonly output: string }>;
  waitForLock(): Promise<void>;
}

/** The first `redis-server`, else `valkey-server`, that can be executed in the directories of `path`. */
export function findRedisServer(path: string = process.env.PATH ?? ''): string | null {
  return findExecutable(SERVER_NAMES, path);
}

/**
 * The path of a Redis server binary, installed first where there is none. Nothing is asked; what is
 * done is told to `say` before it is done.
 *
 * @throws EverwarmError `REDIS_NOT_INSTALLED`, with what else can be done
 */
export async function ensureRedisServer(
  say: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<string> {
  const found = findRedisServer(machine.path);
  if (found !== null) return found;
  const plan = installPlan(await machine.facts());
  if (plan.kind === 'impossible') throw notInstalled(plan.why);
  say(plan.line);
  for (const step of plan.steps) await runStep(step, machine, say);
  const installed = findRedisServer(machine.path);
  if (installed === null) throw notInstalled('the installation left no redis-server on the PATH');
  say(`installed ${installed}`);
  return installed;
}

/** Which commands install Redis on such a machine. */
export function installPlan(facts: MachineFacts): InstallPlan {
  if (facts.platform === 'linux' && facts.hasApt && (facts.isRoot || facts.hasSudo)) {
    return aptPlan(facts);
  }
  if (facts.hasBrew && !facts.isRoot) {
    return {
      kind: 'install',
      line: 'no redis-server on the PATH: running `brew install redis` (once; starts no service)',
      steps: [{ argv: ['brew', 'install', 'redis'], mayFail: false }],
    };
  }
  if (facts.hasBrew) return { kind: 'impossible', why: 'Homebrew refuses to run as root' };
  if (facts.platform === 'linux' && facts.hasApt) {
    return {
      kind: 'impossible',
      why: 'apt-get needs root, and sudo is missing or asks for a password',
    };
  }
  return { kind: 'impossible', why: `${facts.platform} has neither apt-get nor brew` };
}

function aptPlan(facts: MachineFacts): InstallPlan {
  // NEEDRESTART_SUSPEND: Ubuntu's hook would restart unrelated services of the user after the install.
  const env = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'NEEDRESTART_SUSPEND=1',
    'LC_ALL=C',
  ] as const;
  const asRoot = (...command: string[]): InstallStep['argv'] =>
    facts.isRoot ? [...env, ...command] : ['sudo', '-n', ...env, ...command];
  const install = 'apt-get install -y --no-install-recommends redis-server';
  const steps = [
    // One broken third-party source makes update fail; the package can still be there.
    { argv: asRoot('apt-get', 'update', '-q'), mayFail: true },
    { argv: asRoot(...install.split(' ')), mayFail: false },
  ];
  // Stopped after the fact, by Debian's own means: a policy-rc.d or a mask beforehand would reach
  // further into the machine, and stay behind if this process died in between.
  if (facts.hasSystemd) {
    steps.push({ argv: asRoot('systemctl', 'disable', '--now', 'redis-server'), mayFail: true });
  }
  const service = facts.hasSystemd
    ? "; the package's own service on port 6379 is switched off again" +
      ' (`systemctl enable --now redis-server` if you want it)'
    : '';
  const sudo = facts.isRoot ? '' : 'sudo ';
  const commands = `\`${sudo}apt-get update\` and \`${sudo}${install}\``;
  return {
    kind: 'install',
    line: `no redis-server on the PATH: running ${commands} (once)${service}`,
    steps,
  };
}

async function runStep(
  step: InstallStep,
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  const failure = await runUnlocked(step.argv, machine, say);
  if (failure === null || step.mayFail) return;
  const lastLines = failure.trim().split('\n').slice(-5).join('\n  ');
  throw notInstalled(`\`${step.argv.join(' ')}\` failed`, new Error(lastLines));
}

/** Runs a command, again while somebody else holds the package lock. Answers the output of a failure. */
async function runUnlocked(
  argv: InstallStep['argv'],
  machine: Machine,
  say: (line: string) => void,
): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const { ok, output } = await machine.run(argv);
    if (ok) return null;
    if (attempt === LOCK_ATTEMPTS || !LOCKED.test(output)) return output;
    if (attempt === 1) say('another installation holds the package lock: waiting for it');
    await machine.waitForLock();
    // The other one may have been an Everwarm, installing the same package.
    if (findRedisServer(machine.path) !== null) return null;
  }
}

function notInstalled(why: string, cause?: Error): EverwarmError {
  const output = cause ? `\n  ${cause.message}` : '';
  return new EverwarmError(
    'REDIS_NOT_INSTALLED',
    `no redis-server on the PATH, and it could not be installed: ${why}${output}
Any one of these helps:
  - install Redis yourself: \`apt-get install redis-server\`, \`brew install redis\`, or your system's way
  - run it in a container: \`docker compose up\`
  - use a server you already have: REDIS_URL=redis://host:6379`,
    cause ? { cause } : undefined,
  );
}

function thisMachine(): Machine {
  const path = process.env.PATH ?? '';
  const has = (name: string): boolean => findExecutable([name], path) !== null;
  return {
    path,
    facts: async () => ({
      platform: process.platform,
      isRoot: process.getuid?.() === 0,
      hasSudo: has('sudo') && (await runCommand(['sudo', '-n', 'true'])).ok,
      hasApt: has('apt-get'),
      hasBrew: has('brew'),
      hasSystemd: existsSync('/run/systemd/system'),
    }),
    run: runCommand,
    waitForLock: () => sleep(LOCK_RETRY_MS),
  };
}

function runCommand([command, ...args]: InstallStep['argv']): ReturnType<Machine['run']> {
  return new Promise((resolve) => {
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    execFile(command, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim() || (error?.message ?? '');
      resolve({ ok: error === null, output });
    }).stdin?.end();
  });
}

function findExecutable(names: readonly string[], path: string): string | null {
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  for (const name of names) {
    const found = directories.map((directory) => join(directory, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
}
