import { type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import { resolveScheduler } from '../config/options.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { Events } from '../core/events.ts';
import { Keys } from '../redis/keys.ts';
import { RoleServers } from '../redis/role-servers.ts';

/** What a command that ends by itself needs of Redis. */
export interface WarmSession {
  readonly servers: RoleServers;
  readonly keys: Keys;
  readonly events: Events;
}

/** Runs a command with connections to the flags' servers, and closes them after it. */
export async function withServers<T>(
  flags: RoleFlags,
  command: (session: WarmSession) => Promise<T>,
): Promise<T> {
  const { redis, namespace, strict } = resolveScheduler(roleOptions(flags));
  const events = new Events();
  const servers = new RoleServers({ redis, strict, name: 'cli', events });
  let lastError: unknown;
  events.on('redis:failed', ({ error }) => {
    lastError = error;
  });
  try {
    await servers.ready();
    await servers.clock.measure().catch((error: unknown) => {
      const why = messageOf(lastError ?? error);
      throw new EverwarmError('REDIS_UNAVAILABLE', `Redis does not answer: ${why}`, {
        cause: error,
      });
    });
    return await command({ servers, keys: new Keys(namespace), events });
  } finally {
    servers.close();
  }
}
