/**
 * A Redis server that lives as long as the process that started it.
 *
 *   starting ── "Ready to accept connections" ──> running ── close(), its own death, our death ──> exited
 *
 * Between this process and the server stands a shell, in a session of its own (Ctrl-C in a terminal
 * reaches this process alone, which then closes in order). The shell owns the server and its private
 * directory and blocks on a pipe that only this process holds open. However this process ends, SIGKILL
 * included, the kernel closes the pipe, and the shell kills the server and removes the directory.
 *
 * Invariants: the shell alone reaps the server, so the pid it kills is never another process's; it
 * exits last, so `exited` means that nothing is left. SIGKILL at once and no SIGTERM before: nothing is
 * kept on disk, and a stopped (SIGSTOP) server must die too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { EverwarmError } from '../core/errors.ts';
import { ensureRedisServer } from './redis-binary.ts';

// $1 is where the private directory goes, the rest is the server's command line.
const WRAPPER = `
exec 2>&1
trap '' PIPE
dir=$(mktemp -d "$1/everwarm-redis-XXXXXX") || exit 1
shift
"$@" --dir "$dir" 3<&- &
server=$!
trap 'kill -KILL "$server"; wait "$server"; rm -rf -- "$dir"' EXIT
trap 'exit 0' HUP INT TERM
exec >/dev/null 2>&1
echo "$server $dir" >&3
read -r _ <&3
`;
const READY = 'Ready to accept connections';
const PORT_TAKEN = /address already in use/i;
const PORT_ATTEMPTS = 5;
const START_TIMEOUT_MS = 15_000;
const KEPT_LINES = 10;

export interface EmbeddedRedisOptions {
  /** @defaultValue a free port */
  readonly port?: number;
  /** More options of redis-server, for instance `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
  /** Told what is done when Redis has to be installed first. @defaultValue stderr */
  readonly say?: (line: string) => void;
}

export interface EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  /** The server's own process id. */
  readonly pid: number;
  /** Resolves once the server has ended, for whatever reason, and its directory is gone. */
  readonly exited: Promise<void>;
  /** Ends the server; answers when nothing of it is left. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a Redis server on 127.0.0.1 that keeps nothing on disk and dies with this process. It does
 * not keep this process alive.
 *
 * @throws EverwarmError `REDIS_NOT_INSTALLED` if there is no server binary and none can be installed,
 * `REDIS_UNAVAILABLE` with the server's last words if it does not start
 */
export async function startEmbeddedRedis(
  options: EmbeddedRedisOptions = {},
): Promise<EmbeddedRedis> {
  const binary = await ensureRedisServer(options.say ?? sayOnStderr);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = new ServerProcess(binary, port, options.args ?? []);
    try {
      await server.started();
      return server;
    } catch (error) {
      await server.close();
      // Somebody took the port between our look and the server's bind.
      const mayRetry = options.port === undefined && attempt < PORT_ATTEMPTS;
      if (!mayRetry || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

class ServerProcess implements EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  readonly exited: Promise<void>;
  readonly #wrapper: ChildProcess;
  readonly #log: Socket;
  readonly #lifeline: Socket;
  readonly #lastLines: string[] = [];
  readonly #ready: Promise<void>;
  #owned: { readonly pid: number; readonly directory: string } | undefined;

  constructor(binary: string, port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    const command = [binary, ...serverArguments(port, args)];
    this.#wrapper = spawn('/bin/sh', ['-c', WRAPPER, 'everwarm-redis', tmpdir(), ...command], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    // Node's pipes to a child are sockets; its typings only promise streams.
    this.#log = this.#wrapper.stdout as Socket;
    this.#lifeline = this.#wrapper.stdio[3] as Socket;
    this.#lifeline.on('error', () => {}); // a reset: the wrapper went first, and `exited` says so
    this.#ready = this.#readLog();
    this.exited = this.#watch();
  }

  get pid(): number {
    if (!this.#owned) throw new EverwarmError('REDIS_UNAVAILABLE', 'not started yet');
    return this.#owned.pid;
  }

  /** Resolves when the server takes connections. */
  async started(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, START_TIMEOUT_MS, `was not ready in ${START_TIMEOUT_MS} ms`);
    });
    const running = Promise.all([this.#ready, this.#readOwned()]).then(() => null);
    const failure = await Promise.race([
      running,
      late,
      this.exited.then(() => 'ended at its start'),
    ]);
    clearTimeout(timer);
    if (failure !== null) {
      const lines = this.#lastLines.map((line) => `\n  ${line}`).join('');
      const message = `the Redis server for port ${this.port} ${failure}${lines}`;
      throw new EverwarmError('REDIS_UNAVAILABLE', message);
    }
    this.#wrapper.unref();
    this.#log.unref();
    this.#lifeline.unref();
  }

  close(): Promise<void> {
    // Held again, or a process with nothing else to do would end before its `await close()`.
    this.#wrapper.ref();
    this.#log.ref();
    this.#lifeline.destroy();
    return this.exited;
  }

  #readLog(): Promise<void> {
    return new Promise((resolve) => {
      createInterface({ input: this.#log }).on('line', (line) => {
        if (line.trim() !== '') this.#lastLines.push(line);
        if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
        if (line.includes(READY)) resolve();
      });
    });
  }

  #readOwned(): Promise<void> {
    return new Promise((resolve) => {
      createInterface({ input: this.#lifeline }).once('line', (line) => {
        const space = line.indexOf(' ');
        this.#owned = { pid: Number(line.slice(0, space)), directory: line.slice(space + 1) };
        resolve();
      });
    });
  }

  async #watch(): Promise<void> {
    const wrapperEnded = new Promise<void>((resolve) => {
      this.#wrapper.once('error', (error) => {
        this.#lastLines.push(error.message); // no /bin/sh: nothing was started
        resolve();
      });
      this.#wrapper.once('exit', (_code, signal) => {
        // Somebody killed the wrapper: its work falls to us, as long as we live.
        if (signal !== null && this.#owned) cleanUp(this.#owned);
        resolve();
      });
    });
    // Only the server writes to the log: its end is the server's, and the wrapper may go as well.
    const serverEnded = new Promise<void>((resolve) => {
      this.#log.once('close', () => {
        this.#lifeline.destroy();
        resolve();
      });
    });
    await Promise.all([wrapperEnded, serverEnded]);
  }
}

function serverArguments(port: number, args: readonly string[]): string[] {
  const defaults = ['--save', '', '--appendonly', 'no'];
  // After the caller's, because the last one counts: what this file relies on.
  const fixed = ['--bind', '127.0.0.1', '--port', String(port), '--daemonize', 'no'];
  return [...defaults, ...args, ...fixed, '--loglevel', 'notice', '--logfile', ''];
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new EverwarmError('REDIS_UNAVAILABLE', 'found no free port on 127.0.0.1');
  }
  return address.port;
}

function cleanUp({ pid, directory }: { pid: number; directory: string }): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
  rmSync(directory, { recursive: true, force: true });
}

function sayOnStderr(line: string): void {
  process.stderr.write(`everwarm: ${line}\n`);
}
