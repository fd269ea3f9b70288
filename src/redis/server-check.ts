import { printTarget, type RedisTargets } from '../config/redis-option.ts';
import { EverwarmError } from '../core/errors.ts';
import type { RedisRole } from './connection.ts';
import { addressOf, isCluster, mastersOf, type RedisClient } from './redis-client.ts';
import { readInfo, type ServerFacts } from './server-info.ts';

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
      const facts = await readInfo(redis, 'server', 'memory');
      const problems = [versionProblem(facts), evictionProblem(facts, role)];
      const which = isCluster(client) ? `${where} has a master, ${addressOf(redis)}, that` : where;
      return problems.filter((problem) => problem !== null).map((problem) => `${which} ${problem}`);
    }),
  );
  return found.flat().map((text) => new EverwarmError('REDIS_UNSUITABLE', text));
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
