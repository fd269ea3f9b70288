import { type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { resolveRole } from '../config/options.ts';
import type { RedisTargets } from '../config/redis-option.ts';
import { Events } from '../core/events.ts';
import { untilReady } from '../redis/connection.ts';
import { Keys } from '../redis/keys.ts';
import { RoleServers } from '../redis/role-servers.ts';

/** What a command that ends by itself needs of Redis. */
export interface Session {
  readonly servers: RoleServers;
  readonly redis: RedisTargets;
  readonly keys: Keys;
  readonly events: Events;
}

const CONNECT_MS = 5_000;

/**
 * Runs a command with connections to the flags' servers, and closes them after it.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE for a server that is not there within 5 s
 */
export function withSession<T>(
  flags: RoleFlags,
  command: (session: Session) => Promise<T>,
): Promise<T> {
  return withConnections(flags, async (session) => {
    const { servers, redis } = session;
    await Promise.all([
      untilReady(servers.cache, redis.cache, CONNECT_MS),
      untilReady(servers.queue, redis.queue, CONNECT_MS),
    ]);
    await servers.ready(); // Throws when strict and they are unsuitable.
    await servers.clock.measure();
    return command(session);
  });
}

/** As `withSession`, whether the servers are there or not. */
export async function withConnections<T>(
  flags: RoleFlags,
  command: (session: Session) => Promise<T>,
): Promise<T> {
  const { redis, namespace, strict } = resolveRole(roleOptions(flags));
  const events = new Events();
  // What is wrong with the servers is for the roles to say, and for `everwarm doctor`.
  events.on('server:unsuitable', () => undefined);
  const servers = new RoleServers({ redis, strict, name: 'cli', events });
  try {
    return await command({ servers, redis, keys: new Keys(namespace), events });
  } finally {
    servers.close();
  }
}
