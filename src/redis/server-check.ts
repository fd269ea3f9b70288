import type { Redis } from 'ioredis';
import { printTarget, type RedisTargets } from '../config/redis-option.ts';
import { EverwarmError } from '../core/errors.ts';
import type { RedisRole } from './connection.ts';
import { addressOf, isCluster, mastersOf, type RedisClient } from './redis-client.ts';

const MIN_VERSION = [6, 2] as const;

/** What is wrong with this server, or the masters of this cluster, in this role; empty when it suits. */
export async function checkServer(
  client: RedisClient,
  role: RedisRole,
  targets: RedisTargets,
): Promise<EverwarmError[]> {
  const where = `the ${role} Redis at ${printTarget(targets[role])}`;
  const found = await Promise.all(
    mastersOf(client).map(async (redis) => {
      const facts = await serverFacts(redis);
      const problems = [versionProblem(facts), evictionProblem(facts, role)];
      const which = isCluster(client) ? `${where} has a master, ${addressOf(redis)}, that` : where;
      return problems.filter((problem) => problem !== null).map((problem) => `${which} ${problem}`);
    }),
  );
  return found.flat().map((text) => new EverwarmError('REDIS_UNSUITABLE', text));
}

/** Fields of a server's INFO. */
export type ServerFacts = Readonly<Record<string, string>>;

export async function serverFacts(redis: Redis): Promise<ServerFacts> {
  return parseInfo(await redis.info('server'), await redis.info('memory'));
}

function parseInfo(...sections: readonly string[]): ServerFacts {
  const lines = sections.join('\r\n').split('\r\n');
  return Object.fromEntries(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** Null: it is new enough. */
export function versionProblem(facts: ServerFacts): string | null {
  const version = facts.redis_version ?? '0.0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return null;
  return `is version ${version}: at least ${MIN_VERSION.join('.')} is needed`;
}

/** Null: what is evicted, and what is not, suits the role. */
export function evictionProblem(facts: ServerFacts, role: RedisRole): string | null {
  return role === 'queue' ? checkQueue(facts) : checkCache(facts);
}

// The tracker's and BullMQ's keys live here: evicted, jobs and claims vanish while their keys wait.
function checkQueue(facts: ServerFacts): string | null {
  const policy = facts.maxmemory_policy ?? 'noeviction';
  if (policy === 'noeviction') return null;
  return `has maxmemory-policy ${policy}: it must be noeviction, or jobs and locks are evicted (use a server of its own for the queue)`;
}

// A full cache must make room by itself: with noeviction every commit fails once memory is used up.
function checkCache(facts: ServerFacts): string | null {
  const policy = facts.maxmemory_policy ?? 'noeviction';
  if ((facts.maxmemory ?? '0') === '0' || policy !== 'noeviction') return null;
  return `has maxmemory ${facts.maxmemory} with maxmemory-policy noeviction: when full it refuses new entries (use allkeys-lfu)`;
}
