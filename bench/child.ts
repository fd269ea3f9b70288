// A process of a benchmark, driven by messages: the parent asks, the child answers, one request at a time.
// It goes when its parent goes.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a process counted, and when on its own clock. */
export interface Reading {
  readonly count: number;
  readonly atMs: number;
  /** The most memory it has had so far. */
  readonly peakBytes?: number;
}

/** The requests a benchmark's process answers. */
export interface Role {
  start(options: StartOptions): Promise<void>;
  /** How much it has done since its start. */
  read(): Reading;
  /** Ends the work and closes its connections. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly redisUrl: string;
  readonly namespace: string;
  /** How many keys to work through, where the process chooses them. */
  readonly keys?: number;
  /** Whether its loader has `loadMany`. */
  readonly isBatched?: boolean;
}

type Request =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { kind: 'read' | 'stop' };
type Reply = { readonly reading: Reading | null } | { readonly error: string };

/** The parent's end of a process. */
export class RoleProcess {
  readonly #child: ChildProcess;

  constructor(file: URL) {
    this.#child = fork(fileURLToPath(file));
  }

  async start(options: StartOptions): Promise<void> {
    await this.#ask({ kind: 'start', options });
  }

  async read(): Promise<Reading> {
    const reading = await this.#ask({ kind: 'read' });
    if (!reading) throw new Error('no reading');
    return reading;
  }

  async stop(): Promise<void> {
    await this.#ask({ kind: 'stop' });
  }

  close(): void {
    this.#child.kill();
  }

  async #ask(request: Request): Promise<Reading | null> {
    const ended = new AbortController();
    const onEnd = (): void => ended.abort(new Error(`${this.#child.spawnfile} ended too early`));
    this.#child.once('exit', onEnd);
    try {
      const answered = once(this.#child, 'message', { signal: ended.signal });
      this.#child.send(request);
      const [reply] = (await answered) as [Reply];
      if ('error' in reply) throw new Error(reply.error);
      return reply.reading;
    } finally {
      this.#child.off('exit', onEnd);
    }
  }
}

/** Answers the parent's requests with this role. */
export function serveParent(role: Role): void {
  process.once('disconnect', () => process.exit(0));
  process.on('message', (request: Request) => {
    answer(role, request).then(
      (reading) => process.send?.({ reading } satisfies Reply),
      (error: unknown) => process.send?.({ error: String(error) } satisfies Reply),
    );
  });
}

async function answer(role: Role, request: Request): Promise<Reading | null> {
  if (request.kind === 'read') return role.read();
  if (request.kind === 'start') await role.start(request.options);
  else await role.stop();
  return null;
}
