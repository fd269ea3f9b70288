import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Side = 'plain' | 'everwarm';

export interface OriginCounts {
  loads: number;
  /** Loads that no reader waited for: asked for with `?reason=refresh`. */
  refreshes: number;
}

export interface OriginOptions {
  readonly speed: number;
  readonly resolveTimes: ReadonlyMap<number, number>;
}

/** No answer is faster than this before the speed-up: most keys of the trace were resolved next door. */
const LEAST_RESOLVE_MS = 50;

/**
 * The one origin both sides load from. It knows neither cache: every request takes its key's
 * measured time, whoever asks and why, and is counted when it arrives.
 */
export class Origin {
  readonly url: string;
  readonly #server: Server;
  readonly #counts: Record<Side, OriginCounts>;

  private constructor(server: Server, counts: Record<Side, OriginCounts>) {
    this.#server = server;
    this.#counts = counts;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: OriginOptions): Promise<Origin> {
    const counts = { plain: noCounts(), everwarm: noCounts() };
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin');
      const [side, keyId] = pathname.slice(1).split('/');
      if ((side !== 'plain' && side !== 'everwarm') || keyId === undefined) {
        response.writeHead(404).end();
        return;
      }
      counts[side].loads += 1;
      if (searchParams.get('reason') === 'refresh') counts[side].refreshes += 1;
      const resolveMs = Math.max(LEAST_RESOLVE_MS, options.resolveTimes.get(Number(keyId)) ?? 0);
      await sleep(resolveMs / options.speed);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keyId: Number(keyId), resolveMs, answeredAtMs: Date.now() }));
    });
    // Idle connections stay open: a client never meets one that is closing under its request.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return new Origin(server, counts);
  }

  /** Called once, when the replay starts: each reader has read a key outside the trace to open its connections. */
  resetCounts(): void {
    Object.assign(this.#counts.plain, noCounts());
    Object.assign(this.#counts.everwarm, noCounts());
  }

  counts(side: Side): OriginCounts {
    return { ...this.#counts[side] };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function noCounts(): OriginCounts {
  return { loads: 0, refreshes: 0 };
}
