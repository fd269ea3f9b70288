import type { Redis } from 'ioredis';
import { printTarget, type RedisTargets } from '../config/redis-option.ts';
import { messageOf } from '../core/errors.ts';
import { untilReady, withinTimeout } from '../redis/connection.ts';
import { mastersOf, type RedisClient, serverOfSlot } from '../redis/redis-client.ts';
import { evictionProblem, versionProblem } from '../redis/server-check.ts';
import { readInfo, type ServerFacts } from '../redis/server-info.ts';
import { fullestOf } from '../redis/server-memory.ts';
import { type Check, failure, fine, warning } from './check.ts';
import { measureOffset } from './clock-check.ts';

type Role = keyof RedisTargets;

/** The masters of one role, with what they say of themselves. */
export interface LookedAt {
  readonly role: Role;
  readonly client: RedisClient;
  /** As it may stand in a message. */
  readonly where: string;
  readonly masters: readonly { readonly redis: Redis; readonly facts: ServerFacts }[];
  /** How far the clock of its first master is ahead of this machine's. */
  readonly offsetMs: number;
}

const CONNECT_MS = 3_000;

/** Whether a role's servers answer; what they answered, if they did. */
export async function lookAtServer(
  role: Role,
  client: RedisClient,
  targets: RedisTargets,
): Promise<{ readonly check: Check; readonly found: LookedAt | null }> {
  const where = printTarget(targets[role]);
  const name = `${role} server`;
  try {
    await untilReady(client, targets[role], CONNECT_MS);
    const asked = Promise.all(
      mastersOf(client).map(async (redis) => ({
        redis,
        facts: await readInfo(redis, 'server', 'memory'),
      })),
    );
    const masters = await withinTimeout(asked, `asking ${where}`, CONNECT_MS);
    const offset = measureOffset(serverOfSlot(client, 0));
    const offsetMs = await withinTimeout(offset, `asking ${where}`, CONNECT_MS);
    const found = { role, client, where, masters, offsetMs };
    return { check: fine(name, `${where} answers`), found };
  } catch (error) {
    const fix = `start it, or mend its address, password or firewall (--redis, REDIS_URL${role === 'queue' ? '; --queue-redis, REDIS_QUEUE_URL' : ''})`;
    return { check: failure(name, messageOf(error), fix), found: null };
  }
}

/** Versions, eviction and mode of one role's servers. */
export function serverChecks({ role, where, masters }: LookedAt): readonly Check[] {
  const facts = masters.map((master) => master.facts);
  const versions = [...new Set(facts.map(({ redis_version = '?' }) => redis_version))].join(', ');
  const old = facts.map(versionProblem).find((problem) => problem !== null);
  const evicting = facts.map((one) => evictionProblem(one, role)).find((one) => one !== null);
  const policies = [...new Set(facts.map(({ maxmemory_policy = '?' }) => maxmemory_policy))];
  const version = `${role} version`;
  const eviction = `${role} eviction`;
  return [
    old ? failure(version, `${where} ${old}`, 'upgrade Redis') : fine(version, `Redis ${versions}`),
    evicting
      ? failure(eviction, `${where} ${evicting}`, evictionFix(role))
      : fine(eviction, `maxmemory-policy ${policies.join(', ')}`),
  ];
}

function evictionFix(role: Role): string {
  return role === 'queue'
    ? 'give queue and tracker a server of their own with `maxmemory-policy noeviction` (--queue-redis, REDIS_QUEUE_URL)'
    : 'CONFIG SET maxmemory-policy allkeys-lfu, and have it in redis.conf';
}

/** Whether both roles share a server: they may, but not where a full cache would stop the queue. */
export function separationCheck(
  cache: LookedAt,
  queue: LookedAt,
  { isProduction }: { readonly isProduction: boolean },
): Check {
  const name = 'separate servers';
  const ids = new Set(cache.masters.map(({ facts }) => facts.run_id));
  const isShared = queue.masters.some(({ facts }) => facts.run_id && ids.has(facts.run_id));
  if (!isShared) return fine(name, 'cache and queue have servers of their own');
  const message =
    'one server has both the cache, which should evict, and the queue, which must not';
  if (!isProduction) return fine(name, `${message}: fine outside production`);
  const fix = 'give the queue a server of its own (--queue-redis, REDIS_QUEUE_URL)';
  return warning(name, message, fix);
}

/** From here on new keys are no longer tracked; from there on refreshes are at risk. */
const TIGHT = 0.8;
const FULL = 0.95;

/** How full the queue server is. */
export function memoryCheck({ masters }: LookedAt): Check {
  const name = 'queue memory';
  const { usedBytes, maxBytes, share } = fullestOf(masters.map(({ facts }) => facts));
  const used = mebibytes(usedBytes);
  if (maxBytes === 0) return fine(name, `${used} used, no maxmemory`);
  const message = `${used} of ${mebibytes(maxBytes)} used (${Math.round(100 * share)} %)`;
  const fix = 'raise maxmemory, or track fewer keys (maxTrackedKeys, maxTrackedBytes)';
  if (share >= FULL) return failure(name, `${message}: jobs will be refused`, fix);
  if (share >= TIGHT) return warning(name, `${message}: no new keys are tracked`, fix);
  return fine(name, message);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
