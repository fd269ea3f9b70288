// States: started (listening) -> closing (no new connections, answers in flight are finished) -> closed.
// Invariant: close() settles within the deadline, however many keep-alive sockets or slow clients there are.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { EverwarmError, InvalidOptionError, whyNotListening } from '../src/core/errors.ts';
import type { Health } from '../src/core/health.ts';
import { createDashboard, type Dashboard } from './create-dashboard.ts';
import { isLoopbackName } from './host-guard.ts';
import type { DashboardOptions } from './options.ts';

const DEFAULTS = { host: '127.0.0.1', port: 3000, closeTimeoutMs: 2_000 } as const;

export interface StartDashboardOptions extends DashboardOptions {
  /** Address to listen on; other than loopback only together with `auth`. @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /** 0 takes any free port. @defaultValue `3000` */
  readonly port?: number;
}

export interface ListeningDashboard {
  /** Where to open it, without a slash at the end. */
  readonly url: string;
  /** Of its own connections: `redis:failed`, `server:unsuitable`. */
  on: Dashboard['on'];
  /** Whether the queue server answers. */
  health(): Promise<Health>;
  /** Finishes the answers in flight, for at most 2 s. */
  close(): Promise<void>;
}

interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Serves the dashboard; resolves when it listens.
 *
 * @throws InvalidOptionError for a port out of range, or a host that others can reach without `auth`
 * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable, and `DASHBOARD_PORT` when the address cannot be listened on
 */
export async function startDashboard(options: StartDashboardOptions): Promise<ListeningDashboard> {
  const address = resolveAddress(options);
  const dashboard = createDashboard(options);
  try {
    await dashboard.ready();
    const server = await listen(mounted(dashboard.router, options), address);
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      // First, for the streams of open pages never end by themselves.
      const stopped = closeServer(server);
      await dashboard.close();
      await stopped;
    };
    return {
      url: urlOf(server.address() as AddressInfo, address.host) + (options.basePath ?? ''),
      on: (name, listener) => dashboard.on(name, listener),
      health: () => dashboard.health(),
      close: () => {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    await dashboard.close();
    throw error;
  }
}

function mounted(router: Express, { basePath = '' }: StartDashboardOptions): Express {
  return basePath === '' ? router : express().disable('x-powered-by').use(basePath, router);
}

function resolveAddress(options: StartDashboardOptions): ListenAddress {
  const { host = DEFAULTS.host, port = DEFAULTS.port, auth } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    const rule = 'must be a whole number from 0 to 65535 (0: any free port)';
    throw new InvalidOptionError('dashboard.port', port, rule);
  }
  if (!isLoopbackName(host) && auth === undefined) {
    const rule = 'is not a loopback address: it needs `dashboard.auth`, who may open it';
    throw new InvalidOptionError('dashboard.host', host, rule);
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}

function listen(app: Express, { host, port }: ListenAddress): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Express 5 hands a failure to listen to this callback, not to an 'error' listener.
    const server = app.listen(port, host, (error) => {
      if (error === undefined) return resolve(server);
      const text = `the dashboard cannot listen on host ${host}, port ${port}: ${whyNotListening(error)}`;
      reject(new EverwarmError('DASHBOARD_PORT', text, { cause: error }));
    });
  });
}

/** A wildcard address is no place a browser can go to: this machine's own stands for it. */
function urlOf({ port }: AddressInfo, host: string): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::' || host === '') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => server.closeAllConnections(), DEFAULTS.closeTimeoutMs);
    server.close((error) => {
      clearTimeout(deadline);
      if (error) reject(error);
      else resolve();
    });
    server.closeIdleConnections();
  });
}
