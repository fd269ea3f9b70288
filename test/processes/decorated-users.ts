import { type Cache, cached, createCache } from '../../src/index.ts';

/*
 * Compiled by the build: the test runner's own compiler does not know decorators. Each call gives a cache
 * and classes of their own, so that tests share nothing.
 */

/** An object that is no JSON data. */
export class Session {
  readonly userId: string;

  constructor(userId: string) {
    this.userId = userId;
  }
}

export interface UsersClass {
  new (
    region: string,
  ): {
    byId(id: string, field?: string): Promise<string>;
    ofSession(session: Session): Promise<string>;
  };
  count(): Promise<number>;
}

export interface Decorated {
  readonly cache: Cache;
  /** `region:arguments` of each call that got through to the method. */
  readonly calls: string[];
  readonly Users: UsersClass;
}

export function decorateUsers(options: { redis: string; namespace: string }): Decorated {
  const calls: string[] = [];
  let opened: Cache | null = null;
  const cache = (): Cache => {
    opened ??= createCache({ ...options, flushInterval: 100 });
    return opened;
  };

  class Users {
    readonly #region: string;

    constructor(region: string) {
      this.#region = region;
    }

    @cached({ cache, name: 'user', ttl: '1s', refresh: { threshold: 1, minLead: '500ms' } })
    async byId(id: string, field?: string): Promise<string> {
      calls.push(`${this.#region}:${id}${field ?? ''}`);
      return id;
    }

    @cached({ cache, name: 'session', ttl: '1m', key: (session: Session) => session.userId })
    async ofSession(session: Session): Promise<string> {
      calls.push(`${this.#region}:${session instanceof Session}`);
      return session.userId;
    }

    @cached({ cache, name: 'user-count', ttl: '1m' })
    static async count(): Promise<number> {
      calls.push(Users.name);
      return 2;
    }
  }
  return { cache: cache(), calls, Users };
}

/** Two methods of one name: the second is refused at its first call. */
export function decorateTwice(cache: Cache): { a(): Promise<string>; b(): Promise<string> } {
  class Twice {
    @cached({ cache: () => cache, name: 'same', ttl: '1m' })
    async a(): Promise<string> {
      return 'a';
    }

    @cached({ cache: () => cache, name: 'same', ttl: '1m' })
    async b(): Promise<string> {
      return 'b';
    }
  }
  return new Twice();
}
