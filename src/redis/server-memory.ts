import type { RedisRole } from './connection.ts';
import { mastersOf, type RedisClient } from './redis-client.ts';
import { evictionProblem } from './server-check.ts';
import { readInfo, type ServerFacts } from './server-info.ts';

/** How much of its memory one server uses. */
interface UsedMemory {
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** 0 to about 1; 0 without a limit. */
  readonly share: number;
}

/** Memory of a role's server, of all masters of a cluster together. */
export interface ServerMemory {
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** Share that the fullest of them uses. */
  readonly fullestShare: number;
  /** What is evicted when one is full; more than one where masters differ. */
  readonly policies: readonly string[];
  /** What is wrong with that in this role; null: nothing. */
  readonly problem: string | null;
}

/** Of a cluster whose nodes are not known yet. */
const NO_MEMORY: UsedMemory = { usedBytes: 0, maxBytes: 0, share: 0 };

function usedMemoryOf({ used_memory, maxmemory }: ServerFacts): UsedMemory {
  const usedBytes = Number(used_memory ?? 0);
  const maxBytes = Number(maxmemory ?? 0);
  return { usedBytes, maxBytes, share: maxBytes === 0 ? 0 : usedBytes / maxBytes };
}

/** Of the fullest of these servers; of the first one where none has a limit. */
export function fullestOf(masters: readonly ServerFacts[]): UsedMemory {
  const used = masters.map(usedMemoryOf);
  const [first = NO_MEMORY] = used;
  return used.reduce((one, other) => (other.share > one.share ? other : one), first);
}

/** How much of its memory the fullest of these servers uses. */
export async function usedMemoryShare(client: RedisClient): Promise<number> {
  return fullestOf(await readMasters(client)).share;
}

export async function readServerMemory(
  client: RedisClient,
  role: RedisRole,
): Promise<ServerMemory> {
  const masters = await readMasters(client);
  const used = masters.map(usedMemoryOf);
  const policies = masters.map(({ maxmemory_policy = 'unknown' }) => maxmemory_policy);
  return {
    usedBytes: used.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
    maxBytes: used.reduce((sum, { maxBytes }) => sum + maxBytes, 0),
    fullestShare: fullestOf(masters).share,
    policies: [...new Set(policies)],
    problem: masters.map((facts) => evictionProblem(facts, role)).find(Boolean) ?? null,
  };
}

function readMasters(client: RedisClient): Promise<ServerFacts[]> {
  return Promise.all(mastersOf(client).map((master) => readInfo(master, 'memory')));
}
