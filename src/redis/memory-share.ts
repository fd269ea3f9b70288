import { mastersOf, type RedisClient } from './redis-client.ts';

/** How much of its memory the fullest of these servers uses, 0 to about 1; 0 where none has a limit. */
export async function usedMemoryShare(client: RedisClient): Promise<number> {
  const shares = await Promise.all(
    mastersOf(client).map(async (master) => {
      const memory = await master.info('memory');
      const read = (field: string): number =>
        Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
      const limit = read('maxmemory');
      return limit === 0 ? 0 : read('used_memory') / limit;
    }),
  );
  return Math.max(0, ...shares);
}
