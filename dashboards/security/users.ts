import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { InvalidOptionError } from '../../src/core/errors.ts';
import { isPassword, type PasswordHash, parsePasswordHash } from './password.ts';
import type { DashboardUser, Role } from './request-user.ts';

/** Tells who sent a request, as the application's own login knows; null: nobody it knows. */
export type Identify = (request: Request) => DashboardUser | null | Promise<DashboardUser | null>;

/** `name:scrypt$N$r$p$salt$hash` or `bearer:token`, each perhaps with `:viewer` behind; or a function. */
export type DashboardAuth = readonly string[] | Identify;

interface PasswordUser extends DashboardUser {
  readonly password: PasswordHash;
}

interface TokenUser extends DashboardUser {
  readonly digest: Buffer;
}

const ENTRY = /^([^:]{1,64}):([^:]+?)(?::(viewer|operator))?$/;
const TOKEN = /^[A-Za-z0-9._~+/=-]{16,}$/;
const RULE =
  "must be 'name:scrypt$N$r$p$salt$hash' or 'bearer:<token of at least 16 characters>', each perhaps with ':viewer' at its end";

/** The users and tokens of an `auth` list. */
export class Users {
  readonly #byName = new Map<string, PasswordUser>();
  readonly #tokens: TokenUser[] = [];

  /** @throws InvalidOptionError that does not quote the entry: it may be a secret in a wrong form */
  constructor(entries: readonly string[]) {
    for (const [at, entry] of entries.entries()) this.#add(entry, at);
    if (entries.length === 0) {
      throw new InvalidOptionError('dashboard.auth', entries, 'must name a user or a token');
    }
  }

  /** Where the name is unknown it takes as long as for one that is not. */
  async withPassword(name: string, password: string): Promise<DashboardUser | null> {
    const user = this.#byName.get(name);
    const [other] = this.#byName.values();
    const hash = (user ?? other)?.password;
    if (hash === undefined) return null;
    const isRight = await isPassword(password, hash);
    return user && isRight ? publicPart(user) : null;
  }

  withToken(token: string): DashboardUser | null {
    const digest = digestOf(token);
    const user = this.#tokens.find((one) => timingSafeEqual(one.digest, digest));
    return user ? publicPart(user) : null;
  }

  #add(entry: string, at: number): void {
    const [, name, secret = '', role = 'operator'] = ENTRY.exec(entry) ?? [];
    if (name === undefined) throw refused(at);
    if (name === 'bearer') {
      if (!TOKEN.test(secret)) throw refused(at);
      const user = { name: `token-${at + 1}`, role: role as Role };
      this.#tokens.push({ ...user, digest: digestOf(secret) });
      return;
    }
    const password = parsePasswordHash(secret);
    if (password === null) throw refused(at);
    this.#byName.set(name, { name, role: role as Role, password });
  }
}

function refused(at: number): InvalidOptionError {
  return new InvalidOptionError(`dashboard.auth[${at}]`, '…', RULE);
}

function publicPart({ name, role }: DashboardUser): DashboardUser {
  return { name, role };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
