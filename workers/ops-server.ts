// States: listening -> closing (no new connections, answers in flight are finished) -> closed.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  EverwarmError,
  InvalidOptionError,
  messageOf,
  whyNotListening,
} from '../src/core/errors.ts';

/** Whoever may ask is on this machine. */
export const DEFAULT_HOST = '127.0.0.1';
const CLOSE_TIMEOUT_MS = 1_000;
/** Probes and scrapers are few, and quick. */
const MOST_CONNECTIONS = 100;
const REQUEST_TIMEOUT_MS = 5_000;

/** Answers requests for one path. What it throws is answered with 500. */
export type OpsHandler = (...request: Parameters<RequestListener>) => Promise<unknown> | unknown;

export interface OpsServerOptions {
  /** 0: any free port. */
  readonly port: number;
  /** @defaultValue `'127.0.0.1'` */
  readonly host?: string | undefined;
  /** By path, e.g. `/healthz`. */
  readonly handlers: Readonly<Record<string, OpsHandler>>;
}

export interface OpsServer {
  readonly url: string;
  /** Finishes the answers in flight, for at most 1 s, and cuts idle connections at once. */
  close(): Promise<void>;
}

/**
 * Serves what operators and their probes ask a process for; resolves when it listens.
 *
 * @throws InvalidOptionError for a port out of range
 * @throws EverwarmError HEALTH_PORT when the address cannot be listened on
 */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { port, host = DEFAULT_HOST } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    const rule = 'must be a whole number from 0 to 65535 (0: any free port)';
    throw new InvalidOptionError('--health-port', port, rule);
  }
  try {
    return await listen(options);
  } catch (cause) {
    const text = `cannot listen for probes on host ${host}, port ${port}: ${whyNotListening(cause)}`;
    throw new EverwarmError('HEALTH_PORT', text, { cause });
  }
}

/** As `startOpsServer`, for whoever has a name of its own for the port; rejects with what Node says of it. */
export async function listen({
  port,
  host = DEFAULT_HOST,
  handlers,
}: OpsServerOptions): Promise<OpsServer> {
  const routes = new Map(Object.entries(handlers));
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => void answer(routes, request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${taken}`, close: () => closed(server) };
}

async function answer(
  routes: ReadonlyMap<string, OpsHandler>,
  ...[request, response]: Parameters<RequestListener>
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '';
  const handler = routes.get(path);
  if (!handler) return refuse(response, 404, `there are ${[...routes.keys()].join(', ')}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'only GET and HEAD');
  }
  try {
    await handler(request, response);
  } catch (error) {
    process.emitWarning(`the answer to ${path} failed: ${messageOf(error)}`, 'EverwarmWarning');
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'it failed, see the log');
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}: ${text}\n`);
}

async function closed(server: Server): Promise<void> {
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
  await new Promise<void>((resolve) => {
    // It fails only if it is closed already.
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(deadline);
}
