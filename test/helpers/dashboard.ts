import { onTestFinished } from 'vitest';
import type { AuditEvent } from '../../dashboards/security/audit.ts';
import type { StartDashboardOptions } from '../../dashboards/server.ts';
import { startDashboard } from '../../dashboards/server.ts';
import { redisUrl, uniqueNamespace } from './redis.ts';

/** "password" by scrypt, of a cost that no test notices. */
export const PASSWORD_HASH =
  'scrypt$1024$8$1$c2FsdHNhbHQ=$AOLXEESCcPmf2DxU3D47ZJxp5ZTcHC0S2Mb2eFXc4tI=';

export interface DashboardClient {
  readonly url: string;
  readonly audited: AuditEvent[];
  get(path: string, user?: string): Promise<Response>;
  /** With the token that a page of the same user gave. */
  post(path: string, form: Readonly<Record<string, string>>, user?: string): Promise<Response>;
}

/** A dashboard on a free port, in a namespace of its own unless told otherwise; closed with the test. */
export async function openDashboard(
  options: Omit<StartDashboardOptions, 'port'>,
): Promise<DashboardClient> {
  const audited: AuditEvent[] = [];
  const { url, close } = await startDashboard({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    onAudit: (event) => void audited.push(event),
    ...options,
    port: 0,
  });
  onTestFinished(() => close());
  const get = (path: string, user?: string): Promise<Response> =>
    fetch(url + path, { headers: { accept: 'text/html', ...credentials(user) } });
  return {
    url,
    audited,
    get,
    post: async (path, form, user) => {
      const token = await tokenFrom(await get('/', user));
      return fetch(url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { accept: 'text/html', cookie: `XSRF-TOKEN=${token}`, ...credentials(user) },
        body: new URLSearchParams({ _csrf: token, ...form }),
      });
    },
  };
}

/** A header for somebody whose password is "password". */
export function credentials(user: string | undefined): Record<string, string> {
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:password`).toString('base64')}` };
}

export async function tokenFrom(response: Response): Promise<string> {
  await response.text();
  const [, token = ''] = /XSRF-TOKEN=([^;]+)/.exec(response.headers.get('set-cookie') ?? '') ?? [];
  return token;
}
