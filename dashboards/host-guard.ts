import { STATUS_CODES } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { InvalidOptionError, printValue } from '../src/core/errors.ts';

const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];
/** A host name, IPv4 address or bracketed IPv6 address, and perhaps a port. */
const AUTHORITY = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/;

/** Whether a server listening on `name` can be reached from this machine only. */
export function isLoopbackName(name: string): boolean {
  return name === '::1' || LOOPBACK_NAMES.includes(name.toLowerCase());
}

/**
 * Middleware for a server that must tell its own page from every other page in the same browser. By the Host header it refuses DNS rebinding: a foreign name that was made to
 * resolve to this server. By Origin and Sec-Fetch-Site it refuses what other sites send here. It also
 * sets the headers that forbid framing, content sniffing and leaking addresses.
 *
 * @param allowedHosts names beside the loopback ones: `'dash.example'` with any port,
 *   `'dash.example:8080'` with that port alone; null for any, where there are logins: those of this
 *   server a foreign name's page does not have
 * @throws InvalidOptionError for an entry that is not a host name
 */
export function hostGuard(allowedHosts: readonly string[] | null): RequestHandler {
  const allowed = allowedHosts && new Set([...LOOPBACK_NAMES, ...allowedHosts.map(normalizeEntry)]);
  return (request, response, next) => {
    response.set({
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Content-Security-Policy': "frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
    });
    const refusal = (allowed && refuseHost(request, allowed)) ?? refuseOrigin(request);
    if (refusal === undefined) return next();
    response.status(403).type('text/plain').send(`403 ${STATUS_CODES[403]}: ${refusal}\n`);
  };
}

function normalizeEntry(entry: string, index: number): string {
  const normal = entry.toLowerCase();
  if (AUTHORITY.test(normal)) return normal;
  throw new InvalidOptionError(
    `dashboard.allowedHosts[${index}]`,
    entry,
    'must be a host name, with a port or without: no scheme, no path, no wildcard; IPv6 in brackets',
  );
}

function refuseHost(request: Request, allowed: ReadonlySet<string>): string | undefined {
  const host = request.headers.host?.toLowerCase() ?? '';
  const name = AUTHORITY.exec(host)?.groups?.name;
  if (name !== undefined && (allowed.has(name) || allowed.has(host))) return undefined;
  return `the Host header ${printValue(host)} is neither a loopback name (${LOOPBACK_NAMES.join(', ')}) nor one of the dashboard's allowedHosts`;
}

/**
 * A page's own requests carry no Origin, or its own. `null` (a sandboxed frame, a file, a form under
 * no-referrer) names nobody, so it may read what a plain link could open, but change nothing.
 */
function refuseOrigin(request: Request): string | undefined {
  const { origin } = request.headers;
  const readsOnly = request.method === 'GET';
  if (request.headers['sec-fetch-site'] === 'cross-site' && !readsOnly) {
    return `the Sec-Fetch-Site header "cross-site" is allowed for GET only, this is ${request.method}`;
  }
  if (origin === undefined || (origin === 'null' && readsOnly)) return undefined;
  if (isOwnOrigin(origin, request.headers.host ?? '')) return undefined;
  return `the Origin header ${printValue(origin)} is not of the same host and port as the Host header ${printValue(request.headers.host)}`;
}

/** The Host is read with the Origin's scheme: `localhost:80` and `http://localhost` are the same place. */
function isOwnOrigin(origin: string, host: string): boolean {
  const from = URL.canParse(origin) ? new URL(origin) : undefined;
  if (from?.protocol !== 'http:' && from?.protocol !== 'https:') return false;
  const own = `${from.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === from.host;
}
