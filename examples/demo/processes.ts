// A process the demo started is: running -> ended by itself with code 0 once it may, or by close().
// Any other end is a crash: `crashed` rejects, the demo stops everything and says who it was.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ProcessOptions {
  /** As it is called in messages. */
  readonly name: string;
  readonly file: URL;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const GRACE_MS = 5_000;
const TAIL_CHARS = 2_000;
const LEAVE_WITH_PARENT = new URL('./leave-with-parent.js', import.meta.url).href;

export class Processes {
  /** Never resolves; rejects with the first crash. */
  readonly crashed: Promise<never>;
  readonly #running = new Set<ChildProcess>();
  readonly #mayEnd = new WeakSet<ChildProcess>();
  #reject: (error: Error) => void = () => {};
  #isClosing = false;

  constructor() {
    this.crashed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.crashed.catch(() => {}); // whoever races it sees it; at another time it is no unhandled rejection
  }

  start({ name, file, args, env }: ProcessOptions): ChildProcess {
    const child = fork(fileURLToPath(file), args, {
      env: { ...process.env, ...env },
      execArgv: ['--import', LEAVE_WITH_PARENT],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C reaches the demo alone, which then stops its processes in order.
      detached: true,
    });
    let tail = '';
    const keepTail = (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-TAIL_CHARS);
    };
    child.stdout?.on('data', keepTail);
    child.stderr?.on('data', keepTail);
    child.once('error', (error) => this.#reject(error));
    child.once('close', (code, signal) => {
      this.#running.delete(child);
      if (this.#isClosing || (code === 0 && this.#mayEnd.has(child))) return;
      const how = signal === null ? `with code ${code}` : `by ${signal}`;
      this.#reject(
        new Error(`the ${name} process (pid ${child.pid}) ended ${how}\n${tail}`.trimEnd()),
      );
    });
    this.#running.add(child);
    return child;
  }

  /** From now on this process has done its work, and its end is no crash. */
  mayEnd(child: ChildProcess): void {
    this.#mayEnd.add(child);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#running].map(stop));
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(deadline);
}
