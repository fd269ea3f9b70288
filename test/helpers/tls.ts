import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { EmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { ownServer } from './cache.ts';
import { freePort } from './port.ts';

const run = promisify(execFile);

export interface TlsServer {
  readonly server: EmbeddedRedis;
  /** A `rediss://` URL. */
  readonly url: string;
  readonly port: number;
  /** The certificate, which is its own authority, and where it is. */
  readonly ca: string;
  readonly caFile: string;
}

/** A server for one test that takes TLS, with a certificate for `localhost` made for it. */
export async function tlsServer(): Promise<TlsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'everwarm-tls-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', [...make, ...subject, '-days', '2', '-keyout', key, '-out', certificate]);
  const port = await freePort();
  const files = ['--tls-key-file', key, '--tls-cert-file', certificate];
  const trust = ['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'];
  const server = await ownServer('--tls-port', String(port), ...files, ...trust);
  const ca = await readFile(certificate, 'utf8');
  return { server, url: `rediss://localhost:${port}`, port, ca, caFile: certificate };
}
