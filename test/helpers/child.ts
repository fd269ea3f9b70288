import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EventMap, EventName } from '../../src/core/events.ts';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An event of a role process as it comes over IPC: its error is a message, and when it was told is added. */
export type ToldEvent<N extends EventName> = EventMap[N] & { readonly toldAtMs: number };

type Told = { readonly event: EventName; readonly payload: ToldEvent<EventName> };
type Reply = { readonly id: number; readonly result?: unknown; readonly error?: string };
type Waiting = { resolve(result: unknown): void; reject(error: Error): void };

const dist = new URL('../../dist/', import.meta.url);
const preload = new URL('test/processes/die-with-parent.js', dist).href;

/** The compiled file of a program, relative to dist/. */
export function compiled(file: string): string {
  return fileURLToPath(new URL(file, dist));
}

/** A Node program under test. It ends with the test run, and by `kill` at the latest. */
export class Child {
  readonly exited: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #told: Told[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #what: string;
  #nextId = 1;
  #ending: Ending | null = null;

  /** @param file - relative to dist/ */
  constructor(file: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#what = [file, ...args].join(' ');
    this.#process = spawn(process.execPath, ['--import', preload, compiled(file), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#lines.push(line));
    }
    this.#process.on('message', (message) => this.#receive(message as Reply | Told));
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** How it ended; null while it runs. */
  get ending(): Ending | null {
    return this.#ending;
  }

  /** All it has printed, on stdout and stderr. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** The events of one name that it has told so far. */
  events<N extends EventName>(name: N): readonly ToldEvent<N>[] {
    return this.#told
      .filter(({ event }) => event === name)
      .map(({ payload }) => payload as unknown as ToldEvent<N>);
  }

  /** Sends a command; resolves with its result, rejects when it fails or the process ends first. */
  ask<T>(command: unknown): Promise<T> {
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    if (this.#ending) this.#abandonAll();
    else this.#process.send({ id, command });
    return reply as Promise<T>;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async kill(): Promise<Ending> {
    const leavePipes = (): void => {
      // A process that it started may hold them open: then it survives, which others find out.
      this.#process.stdout?.destroy();
      this.#process.stderr?.destroy();
    };
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.once('exit', leavePipes);
      this.signal('SIGKILL');
    } else leavePipes();
    return this.exited;
  }

  /** Kills it at the end of a test: what it was asked and has not answered is of no interest any more. */
  end(): Promise<Ending> {
    this.#waiting.clear();
    return this.kill();
  }

  #receive(message: Reply | Told): void {
    if ('event' in message) {
      this.#told.push(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(new Error(message.error));
  }

  async #watch(): Promise<Ending> {
    // 'close' comes after the last line of output, 'exit' may come before it.
    const [code, signal] = await once(this.#process, 'close');
    this.#ending = { code, signal };
    this.#abandonAll();
    return this.#ending;
  }

  #abandonAll(): void {
    const { code, signal } = this.#ending ?? {};
    const error = new Error(`${this.#what} ended (${signal ?? code}):\n${this.output}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
