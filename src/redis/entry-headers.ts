import type { Cluster } from 'ioredis';
import { decodeHeader, type EntryHeader, HEADER_BYTES } from './entry.ts';
import { isCluster, type RedisClient, sendTogether } from './redis-client.ts';
import type { ScriptClient } from './scripts.ts';

/** In one script: more would hold up the server's other clients. */
const READ_TOGETHER = 250;

/**
 * The headers of many entries, unverified; null where there is none of ours, undefined where its node of
 * a cluster did not answer. Rejects when none did.
 */
export async function readHeaders(
  redis: RedisClient,
  scripts: ScriptClient,
  entryKeys: readonly string[],
): Promise<(EntryHeader | null | undefined)[]> {
  if (isCluster(redis)) return readApart(redis, entryKeys);
  const parts: Promise<unknown[]>[] = [];
  for (let from = 0; from < entryKeys.length; from += READ_TOGETHER) {
    const keys = entryKeys.slice(from, from + READ_TOGETHER);
    parts.push(scripts.runMany('readHeaders', [{ keys, args: [] }]));
  }
  return (await Promise.all(parts)).flatMap(([bytes]) => toHeaders(bytes as Buffer));
}

function toHeaders(bytes: Buffer): (EntryHeader | null)[] {
  const headers: (EntryHeader | null)[] = [];
  for (let from = 0; from < bytes.length; from += HEADER_BYTES) {
    headers.push(decodeHeader(bytes.subarray(from, from + HEADER_BYTES)));
  }
  return headers;
}

/** Each key is in a slot of its own, which no script may leave. */
async function readApart(
  cluster: Cluster,
  entryKeys: readonly string[],
): Promise<(EntryHeader | null | undefined)[]> {
  let failure: unknown;
  const headers = await Promise.all(
    entryKeys.map((entryKey) => {
      sendTogether(cluster, entryKey);
      return cluster.getrangeBuffer(entryKey, 0, HEADER_BYTES - 1).then(decodeHeader, (error) => {
        // A key of another Redis type under our name is a miss like any other foreign bytes.
        if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
        failure = error;
        return undefined;
      });
    }),
  );
  if (failure !== undefined && headers.every((header) => header === undefined)) throw failure;
  return headers;
}
