import { type Health, healthOf } from '../src/core/health.ts';
import { healthHandlers } from './health-handlers.ts';
import type { Log } from './log.ts';
import { type OpsHandler, type OpsServer, startOpsServer } from './ops-server.ts';

export interface OpsFlags {
  /** Where probes are answered; 0: any free port, undefined: nowhere. */
  readonly healthPort?: number | undefined;
  readonly healthHost?: string | undefined;
}

export interface OpsOptions {
  readonly flags: OpsFlags;
  readonly log: Log;
  readonly health: () => Promise<Health>;
  /** More paths. */
  readonly handlers?: Readonly<Record<string, OpsHandler>>;
}

/** A process's answers to probes: listening -> leave(): not ready any more -> close(). */
export class Ops {
  readonly #server: OpsServer | null;
  readonly #state: { isLeaving: boolean };

  private constructor(server: OpsServer | null, state: { isLeaving: boolean }) {
    this.#server = server;
    this.#state = state;
  }

  /** Listens, if a port is given. */
  static async open({ flags, log, health, handlers }: OpsOptions): Promise<Ops> {
    const state = { isLeaving: false };
    const { healthPort: port, healthHost: host } = flags;
    if (port === undefined) return new Ops(null, state);
    const own = healthHandlers(async () =>
      state.isLeaving ? healthOf(['it is closing']) : health(),
    );
    const server = await startOpsServer({ port, host, handlers: { ...own, ...handlers } });
    log.info({ event: 'ops:listening', url: server.url }, `health ${server.url}/readyz`);
    return new Ops(server, state);
  }

  leave(): void {
    this.#state.isLeaving = true;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
