import { expect } from 'vitest';
import { ownServer } from './cache.ts';
import { connect } from './redis.ts';
import { openProxy } from './tcp-proxy.ts';

/** A master and its replica, which clients reach by one address. */
export interface Pair {
  /** Where clients find whichever is the master. */
  readonly url: string;
  readonly replicaUrl: string;
  /** Resolves when the replica has all that was written, and hears of nothing from then on. */
  lag(): Promise<void>;
  /** The replica takes over as it is; every client loses its connection, and finds it at the old address. */
  failOver(): Promise<void>;
}

/** Starts both; they end with the test. */
export async function startPair(): Promise<Pair> {
  // From its disk: a copy without begins with the next second.
  const master = await ownServer('--repl-diskless-sync', 'no');
  const replication = await openProxy(master);
  const replica = await ownServer();
  const target = { port: master.port };
  const clients = await openProxy(target);
  const [old, next] = [connect(master.url), connect(replica.url)];
  // By a command, because a replica of its options connects a second after its start.
  await next.replicaof('127.0.0.1', new URL(replication.url).port);
  await expect.poll(() => next.info('replication')).toContain('master_link_status:up');
  return {
    url: clients.url,
    replicaUrl: replica.url,
    async lag() {
      // What other connections have written is in the same stream, before this.
      await old.set('replicated', 'so far');
      expect(await old.wait(1, 5_000)).toBe(1);
      replication.set({ kind: 'blackhole' }, 'all');
    },
    async failOver() {
      await next.replicaof('NO', 'ONE');
      target.port = replica.port;
      clients.reset();
    },
  };
}
