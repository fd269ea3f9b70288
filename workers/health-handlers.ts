import type { ServerResponse } from 'node:http';
import type { Health } from '../src/core/health.ts';
import type { OpsHandler } from './ops-server.ts';

/**
 * `/healthz`: the process is up and its event loop turns, or nobody would answer. `/readyz`: it gets on
 * with its work; else 503, with the reasons. Redis is no reason to restart a process, so it is none in `/healthz`.
 */
export function healthHandlers(health: () => Promise<Health>): Record<string, OpsHandler> {
  let underWay: Promise<Health> | null = null;
  // However many probes there are, Redis is asked once at a time.
  const shared = (): Promise<Health> => {
    underWay ??= health().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  return {
    '/healthz': (_request, response) => send(response, 200, { isAlive: true }),
    '/readyz': async (_request, response) => {
      const answer = await shared();
      send(response, answer.isReady ? 200 : 503, answer);
    },
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`);
}
