import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { EverwarmError, messageOf, whyNotListening } from '../src/core/errors.ts';
import { metricsHandler } from '../src/metrics/serve.ts';

export interface MetricsFlags {
  /** 0: any free port. */
  readonly metricsPort?: number | undefined;
  readonly metricsHost?: string | undefined;
}

/** Metrics of this process, at `/metrics` of a port of their own. */
export interface ServedMetrics {
  readonly url: string;
  close(): void;
}

/**
 * The registry of this process; null where nobody could scrape it: without a port, or with that of probes
 * alone and without the package prom-client.
 *
 * @throws EverwarmError PROM_CLIENT_MISSING when a port for metrics is given
 */
export async function openRegistry(
  flags: MetricsFlags & { readonly healthPort?: number | undefined },
): Promise<Registry | null> {
  if (flags.metricsPort !== undefined) return newRegistry();
  return flags.healthPort === undefined ? null : newRegistry().catch(() => null);
}

/**
 * Serves a registry to scrapers, if a port is given; null: it is not.
 *
 * @throws EverwarmError METRICS_PORT when the address cannot be listened on
 */
export async function serveMetrics(
  flags: MetricsFlags,
  registry: Registry,
): Promise<ServedMetrics | null> {
  const { metricsPort: port, metricsHost: host = '127.0.0.1' } = flags;
  if (port === undefined) return null;
  const answer = metricsHandler(registry);
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] === '/metrics') answer(request, response);
    else response.writeHead(404).end('404: there is /metrics\n');
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    const text = `cannot listen for scrapes on host ${host}, port ${port}: ${whyNotListening(cause)}`;
    throw new EverwarmError('METRICS_PORT', text, { cause });
  }
  const { port: taken } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, close };
}

async function newRegistry(): Promise<Registry> {
  try {
    // A CommonJS module: its names may come on the default export alone.
    const { default: client } = await import('prom-client');
    return new client.Registry();
  } catch (cause) {
    const text = `--metrics-port needs the package prom-client, which could not be loaded (npm install prom-client): ${messageOf(cause)}`;
    throw new EverwarmError('PROM_CLIENT_MISSING', text, { cause });
  }
}
