import type { Registry } from 'prom-client';
import type { WithMetrics } from '../src/config/metrics-option.ts';
import { EverwarmError, messageOf, whyNotListening } from '../src/core/errors.ts';
import { metricsHandler } from '../src/metrics/serve.ts';
import { DEFAULT_HOST, listen, type OpsHandler, type OpsServer } from './ops-server.ts';
import { processTracer, type TraceFlags } from './process-tracer.ts';

export interface MetricsFlags {
  /** 0: any free port. */
  readonly metricsPort?: number | undefined;
  readonly metricsHost?: string | undefined;
}

type RegistryFlags = MetricsFlags & TraceFlags & { readonly healthPort?: number | undefined };

/** What can be scraped of this process, and where it tells its spans. */
export interface OpenMetrics {
  /** For the role that runs here. */
  readonly options: WithMetrics;
  /** To be served beside the probes. */
  readonly handlers: Readonly<Record<string, OpsHandler>>;
  /** Of the port of its own; null: there is none. */
  readonly url: string | null;
  close(): Promise<void>;
}

/** Opens what the flags ask for, and serves it on a port of its own if there is one. */
export async function openMetrics(flags: RegistryFlags): Promise<OpenMetrics> {
  const tracer = await processTracer(flags);
  const registry = await openRegistry(flags);
  const served = registry && (await serveMetrics(flags, registry));
  const metrics = { ...(registry && { registry }), ...(tracer && { tracer }) };
  return {
    options: registry || tracer ? { metrics } : {},
    handlers: registry ? { '/metrics': metricsHandler(registry) } : {},
    url: served?.url ?? null,
    close: async () => served?.close(),
  };
}

/**
 * The registry of this process; null where nobody could scrape it: without a port, or with that of probes
 * alone and without the package prom-client.
 *
 * @throws EverwarmError PROM_CLIENT_MISSING when a port for metrics is given
 */
export async function openRegistry(flags: RegistryFlags): Promise<Registry | null> {
  if (flags.metricsPort !== undefined) return newRegistry();
  return flags.healthPort === undefined ? null : newRegistry().catch(() => null);
}

/**
 * Serves a registry to scrapers at `/metrics` of a port of its own, if one is given; null: it is not.
 *
 * @throws EverwarmError METRICS_PORT when the address cannot be listened on
 */
export async function serveMetrics(
  flags: MetricsFlags,
  registry: Registry,
): Promise<OpsServer | null> {
  const { metricsPort: port, metricsHost: host = DEFAULT_HOST } = flags;
  if (port === undefined) return null;
  try {
    const handlers = { '/metrics': metricsHandler(registry) };
    const { url, close } = await listen({ port, host, handlers });
    return { url: `${url}/metrics`, close };
  } catch (cause) {
    const text = `cannot listen for scrapes on host ${host}, port ${port}: ${whyNotListening(cause)}`;
    throw new EverwarmError('METRICS_PORT', text, { cause });
  }
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
