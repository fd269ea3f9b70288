import type { RequestHandler } from 'express';
import { userOf } from './request-user.ts';

/** Who wanted to change what, when, and how it was answered. */
export interface AuditEvent {
  readonly event: 'dashboard:action' | 'dashboard:login-refused';
  /** ISO 8601. */
  readonly at: string;
  readonly user: string;
  readonly role: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** What the action was about, where that does not stand in the path. */
  readonly details: Readonly<Record<string, string>>;
}

export type AuditListener = (event: AuditEvent) => void;

/** One line of JSON: line breaks in keys cannot forge another. */
export function printAudit(event: AuditEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Middleware that tells of each request that wants to change something, however it is answered. */
export function audit(onAudit: AuditListener): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    const path = pathOf(request.originalUrl);
    response.once('close', () => {
      const { name, role } = userOf(response);
      onAudit({
        event: 'dashboard:action',
        at: new Date().toISOString(),
        user: name,
        role,
        address: request.ip ?? '',
        method: request.method,
        path,
        status: response.statusCode,
        details: (response.locals.auditDetails as AuditEvent['details'] | undefined) ?? {},
      });
    });
    next();
  };
}

export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}
