import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface OriginCounts {
  loads: number;
  /** Loads that no reader waited for: asked for with a `?reason` that is not `miss`. */
  refreshes: number;
}

export interface OriginOptions {
  readonly speed: number;
  /** What loads from it, each by a path of its own. */
  readonly sides: readonly string[];
  readonly resolveTimes: ReadonlyMap<number, number>;
}

/** No answer is faster than this before the speed-up: most keys of the trace were resolved next door. */
const LEAST_RESOLVE_MS = 50;

/**
 * The one origin all sides load from. It knows no cache: every request takes its key's
 * measured time, whoever asks and why, and is counted when it arrives.
 */
export class Origin {
  readonly url: string;
  readonly #server: Server;
  readonly #counts: ReadonlyMap<string, OriginCounts>;

  private constructor(server: Server, counts: ReadonlyMap<string, OriginCounts>) {
    this.#server = server;
    this.#counts = counts;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: OriginOptions): Promise<Origin> {
    const counts = new Map(options.sides.map((side) => [side, noCounts()]));
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin');
      const [side = '', keyId] = pathname.slice(1).split('/');
      const counted = counts.get(side);
      if (!counted || keyId === undefined) {
        response.writeHead(404).end();
        return;
      }
      counted.loads += 1;
      if ((searchParams.get('reason') ?? 'miss') !== 'miss') counted.refreshes += 1;
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
    for (const counts of this.#counts.values()) Object.assign(counts, noCounts());
  }

  counts(side: string): OriginCounts {
    return { ...(this.#counts.get(side) ?? noCounts()) };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function noCounts(): OriginCounts {
  return { loads: 0, refreshes: 0 };
}
