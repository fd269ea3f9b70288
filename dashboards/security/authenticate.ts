import { createHmac, randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { InvalidOptionError } from '../../src/core/errors.ts';
import type { DashboardSettings } from '../options.ts';
import { sendError } from '../pages/send-error.ts';
import { pathOf } from './audit.ts';
import { ANYBODY, type DashboardUser, isKnown, isUser, setUser } from './request-user.ts';
import { type Identify, Users } from './users.ts';

const ATTEMPTS_PER_MINUTE = 20;
const CHALLENGE = 'Basic realm="Everwarm", charset="UTF-8"';
/** Browsers send the password with every request: scrypt need not judge it each time. */
const KNOWN_FOR_MS = 300_000;
const MOST_KNOWN = 1_000;
const USER_RULE = "must be { name: 'ann', role: 'viewer' or 'operator' }, or null";

/** Middleware that finds out who sent a request, or refuses it. */
export function authenticate(settings: DashboardSettings): readonly RequestHandler[] {
  const { auth } = settings;
  if (auth === null) {
    return [
      (_request, response, next) => {
        setUser(response, ANYBODY);
        next();
      },
    ];
  }
  if (typeof auth === 'function') return [identified(auth)];
  return [...new Logins(new Users(auth), settings).handlers];
}

function identified(identify: Identify): RequestHandler {
  return async (request, response, next) => {
    const user: unknown = await identify(request);
    // Of a table of users that has no such one.
    if (user === null || user === undefined) {
      return sendError(response, 401, 'The application does not know you.');
    }
    if (!isUser(user)) throw new InvalidOptionError('dashboard.auth(request)', user, USER_RULE);
    setUser(response, user);
    next();
  };
}

/** Passwords and tokens. What was right stays known for a while; what was not is counted by address. */
class Logins {
  readonly #users: Users;
  readonly #settings: DashboardSettings;
  readonly #known = new LRUCache<string, DashboardUser>({ max: MOST_KNOWN, ttl: KNOWN_FOR_MS });
  readonly #secret = randomBytes(32);

  constructor(users: Users, settings: DashboardSettings) {
    this.#users = users;
    this.#settings = settings;
  }

  get handlers(): readonly RequestHandler[] {
    const limited = rateLimit({
      windowMs: 60_000,
      limit: ATTEMPTS_PER_MINUTE,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      // Whether a proxy is to be believed the application says, by `trust proxy`.
      validate: false,
      skip: (_request, response) => isKnown(response as Response),
      // Each right login takes back its own count alone: else who has one could guess another's for ever.
      skipSuccessfulRequests: true,
      requestWasSuccessful: (_request, response) => isKnown(response as Response),
      handler: (_request, response) =>
        sendError(response, 429, 'Too many wrong passwords from your address. Wait a minute.'),
    });
    const recall: RequestHandler = (request, response, next) => {
      const { authorization } = request.headers;
      if (authorization === undefined) return this.#challenge(response);
      const user = this.#known.get(this.#digest(authorization));
      if (user) setUser(response, user);
      next();
    };
    const verify: RequestHandler = async (request, response, next) => {
      if (isKnown(response)) return next();
      const { authorization = '' } = request.headers;
      const user = await this.#verify(authorization);
      if (user === null) return this.#refuse(request, response);
      this.#known.set(this.#digest(authorization), user);
      setUser(response, user);
      next();
    };
    return [recall, limited, verify];
  }

  #verify(authorization: string): Promise<DashboardUser | null> | DashboardUser | null {
    const [scheme = '', value = '', ...more] = authorization.split(' ');
    if (more.length > 0) return null;
    if (scheme.toLowerCase() === 'bearer') return this.#users.withToken(value);
    if (scheme.toLowerCase() !== 'basic') return null;
    const text = Buffer.from(value, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0) return null;
    return this.#users.withPassword(text.slice(0, colon), text.slice(colon + 1));
  }

  #refuse(request: Request, response: Response): void {
    this.#settings.onAudit({
      event: 'dashboard:login-refused',
      at: new Date().toISOString(),
      user: '-',
      role: '-',
      address: request.ip ?? '',
      method: request.method,
      path: pathOf(request.originalUrl),
      status: 401,
      details: {},
    });
    this.#challenge(response);
  }

  #challenge(response: Response): void {
    response.set('WWW-Authenticate', CHALLENGE);
    sendError(response, 401, 'This dashboard asks for a name and a password, or a token.');
  }

  #digest(authorization: string): string {
    return createHmac('sha256', this.#secret).update(authorization).digest('base64');
  }
}
