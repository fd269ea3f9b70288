import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Processes } from './processes.ts';
import type { ReaderResult } from './reader-loop.ts';
import { READERS, type ReaderMessage, type StartMessage } from './reader-process.ts';
import { type Settings, settingsToEnv } from './settings.ts';

interface Reader {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly done: Promise<ReaderResult>;
  reads: number;
  waits: number;
}

/** One side: what it is called, and whose readers it has. */
export interface Side {
  readonly name: string;
  readonly cache: 'plain' | 'everwarm';
}

/** The reader processes of one side. */
export class Readers {
  readonly #readers: readonly Reader[];

  constructor({ name, cache }: Side, settings: Settings, processes: Processes) {
    this.#readers = Array.from({ length: READERS }, (_, share) => {
      const child = processes.start({
        name: `${name} reader ${share + 1}`,
        file: new URL(`./${cache}-reader.js`, import.meta.url),
        args: [String(share)],
        env: settingsToEnv(settings),
      });
      return follow(child, processes);
    });
  }

  async ready(): Promise<void> {
    await Promise.all(this.#readers.map(({ ready }) => ready));
  }

  start(message: StartMessage): void {
    for (const { child } of this.#readers) child.send(message);
  }

  async results(): Promise<ReaderResult[]> {
    return Promise.all(this.#readers.map(({ done }) => done));
  }

  get reads(): number {
    return this.#readers.reduce((sum, { reads }) => sum + reads, 0);
  }

  get waits(): number {
    return this.#readers.reduce((sum, { waits }) => sum + waits, 0);
  }
}

function follow(child: ChildProcess, processes: Processes): Reader {
  let finish: (result: ReaderResult) => void = () => {};
  const done = new Promise<ReaderResult>((resolve) => {
    finish = resolve;
  });
  const reader: Reader = { child, ready: once(child, 'message'), done, reads: 0, waits: 0 };
  child.on('message', (message: ReaderMessage) => {
    if (message.kind === 'progress')
      Object.assign(reader, { reads: message.reads, waits: message.waits });
    if (message.kind !== 'done') return;
    processes.mayEnd(child);
    finish(message.result);
  });
  return reader;
}
