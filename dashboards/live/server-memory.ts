import { mastersOf, type RedisClient } from '../../src/redis/redis-client.ts';

/** Memory of a server, of all masters of a cluster together. */
export interface ServerMemory {
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** What is evicted when it is full, as the first master says. */
  readonly policy: string;
  readonly masters: number;
}

export async function readMemory(client: RedisClient): Promise<ServerMemory> {
  const infos = await Promise.all(mastersOf(client).map((redis) => redis.info('memory')));
  const sum = (field: string): number =>
    infos.reduce((total, info) => total + Number(fieldOf(info, field) ?? 0), 0);
  return {
    usedBytes: sum('used_memory'),
    maxBytes: sum('maxmemory'),
    policy: fieldOf(infos[0] ?? '', 'maxmemory_policy') ?? 'unknown',
    masters: infos.length,
  };
}

function fieldOf(info: string, name: string): string | null {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
}
