import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { userOf } from './request-user.ts';

/** The names that axios, by which Bull Board's page sends, goes by on its own. */
const COOKIE = 'XSRF-TOKEN';
const HEADER = 'x-xsrf-token';
/** Of forms without script. */
export const CSRF_FIELD = '_csrf';

/**
 * Double submit: a cookie that only this site's pages can read, and that every change has to repeat. It is
 * signed for its user, so a cookie that somebody planted from a neighbouring site is worth nothing.
 */
export class Csrf {
  readonly #secret = randomBytes(32);
  readonly #path: string;

  constructor(basePath: string) {
    this.#path = `${basePath}/`;
  }

  /** Middleware: a valid cookie for whoever has none yet, and `tokenOf` for forms. */
  readonly issue: RequestHandler = (request, response, next) => {
    const sent = cookieOf(request);
    const isOurs = sent !== null && this.#isSigned(sent, userOf(response).name);
    const token = isOurs ? sent : this.#newToken(userOf(response).name);
    if (!isOurs) {
      // Not HttpOnly: scripts of the page repeat it.
      response.cookie(COOKIE, token, {
        path: this.#path,
        sameSite: 'strict',
        secure: request.secure,
      });
    }
    response.locals.csrfToken = token;
    next();
  };

  /** Whether a change carries the token of its own cookie, in a header or a form's field. */
  isValid(request: Request, response: Response): boolean {
    // Browsers never send a token like this by themselves.
    if (/^bearer /i.test(request.headers.authorization ?? '')) return true;
    const cookie = cookieOf(request);
    const field = (request.body as Record<string, unknown> | undefined)?.[CSRF_FIELD];
    const repeated = request.headers[HEADER] ?? field;
    if (cookie === null || typeof repeated !== 'string') return false;
    return isSame(cookie, repeated) && this.#isSigned(cookie, userOf(response).name);
  }

  #newToken(user: string): string {
    const nonce = randomBytes(16).toString('base64url');
    return `${nonce}.${this.#sign(nonce, user)}`;
  }

  #isSigned(token: string, user: string): boolean {
    const [nonce = '', signature = ''] = token.split('.', 2);
    return isSame(signature, this.#sign(nonce, user));
  }

  #sign(nonce: string, user: string): string {
    return createHmac('sha256', this.#secret).update(`${nonce}.${user}`).digest('base64url');
  }
}

export function tokenOf(response: Response): string {
  return String(response.locals.csrfToken ?? '');
}

function cookieOf({ headers }: Request): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value) return value;
  }
  return null;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
