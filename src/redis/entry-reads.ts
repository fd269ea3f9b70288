import type { Cluster, Redis } from 'ioredis';
import { EverwarmError } from '../core/errors.ts';
import { startTimeLimit } from '../core/time-limit.ts';
import type { Breakers, NodeBreaker } from './breakers.ts';
import { isCluster, type RedisClient, sendTogether } from './redis-client.ts';

/** Up to so many reads go out at once, each by itself; more wait for each other. */
const ALONE = 2;
/** More keys in one MGET would hold up the server's other clients. */
const MAX_BATCH = 200;
/** More reads of one call would only wait for each other, while their time runs. */
const MAX_TOGETHER = 1_000;

interface Read {
  readonly entryKey: string;
  readonly resolve: (bytes: Buffer | null) => void;
  readonly reject: (error: unknown) => void;
}

export interface EntryReadsOptions {
  readonly timeoutMs: number;
  readonly breakers: Breakers;
}

/**
 * Reads entries, one round trip each. Reads that start while others are under way share an MGET, so
 * that a busy process costs Redis and itself one command for many reads; a lone read never waits.
 * On a cluster, whose slots no MGET may cross, they are GETs that share a write. A key of another Redis
 * type reads as absent. While a node's breaker is open its reads are refused at once, but for a probe.
 */
export class EntryReads {
  readonly #redis: RedisClient;
  readonly #timeoutMs: number;
  readonly #breakers: Breakers;
  readonly #flushSoon: () => void;
  #underWay = 0;
  #waiting: Read[] = [];

  constructor(redis: RedisClient, { timeoutMs, breakers }: EntryReadsOptions) {
    this.#redis = redis;
    this.#timeoutMs = timeoutMs;
    this.#breakers = breakers;
    this.#flushSoon = () => this.#flush();
  }

  /** Rejects when Redis fails, does not answer within the timeout, or is not asked: its breaker is open. */
  get(entryKey: string): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      const read = { entryKey, resolve, reject };
      if (this.#underWay < ALONE && this.#waiting.length === 0) {
        this.#send([read]);
        return;
      }
      if (this.#waiting.push(read) === 1) setImmediate(this.#flushSoon);
      else if (this.#waiting.length === MAX_BATCH) this.#flush();
    });
  }

  /** As `get` for each key, in few round trips; never rejects: undefined where `get` would. */
  async getMany(entryKeys: readonly string[]): Promise<(Buffer | null | undefined)[]> {
    if (entryKeys.length <= MAX_TOGETHER) return this.#getPart(entryKeys);
    const found: (Buffer | null | undefined)[] = [];
    while (found.length < entryKeys.length) {
      const part = await this.#getPart(entryKeys.slice(found.length, found.length + MAX_TOGETHER));
      found.push(...part);
      // Who has waited for an answer in vain does so once, not for each part.
      if (part.every((bytes) => bytes === undefined)) found.length = entryKeys.length;
    }
    return found;
  }

  #getPart(entryKeys: readonly string[]): Promise<(Buffer | null | undefined)[]> {
    const reads = entryKeys.map(
      (entryKey) =>
        new Promise<Buffer | null | undefined>((resolve) => {
          this.#waiting.push({ entryKey, resolve, reject: () => resolve(undefined) });
          if (this.#waiting.length === MAX_BATCH) this.#flush();
        }),
    );
    this.#flush();
    return Promise.all(reads);
  }

  #flush(): void {
    const reads = this.#waiting;
    if (reads.length === 0) return;
    this.#waiting = [];
    this.#send(reads);
  }

  #send(reads: readonly Read[]): void {
    if (!isCluster(this.#redis)) {
      const breaker = this.#breakers.ofKey((reads[0] as Read).entryKey);
      this.#sendTo(breaker, reads);
      return;
    }
    const byNode = new Map<NodeBreaker, Read[]>();
    for (const read of reads) {
      const breaker = this.#breakers.ofKey(read.entryKey);
      const batch = byNode.get(breaker);
      if (batch === undefined) byNode.set(breaker, [read]);
      else batch.push(read);
    }
    for (const [breaker, batch] of byNode) this.#sendTo(breaker, batch);
  }

  #sendTo(breaker: NodeBreaker, reads: readonly Read[]): void {
    let sent = reads;
    if (!breaker.isClosed) {
      // The probe is one read: only one has to wait for a server that is probably away.
      const probes = breaker.mayCall() ? 1 : 0;
      for (const read of reads.slice(probes)) read.reject(breaker.refusal);
      if (probes === 0) return;
      sent = reads.slice(0, 1);
    }
    if (isCluster(this.#redis)) this.#getEach(this.#redis, breaker, sent);
    else this.#getTogether(this.#redis, breaker, sent);
  }

  #getTogether(redis: Redis, breaker: NodeBreaker, reads: readonly Read[]): void {
    const end = this.#begin(breaker, (error) => {
      for (const read of reads) read.reject(error);
      return false;
    });
    redis.mgetBuffer(reads.map((read) => read.entryKey)).then(
      (values) => {
        reads.forEach((read, at) => {
          read.resolve(values[at] ?? null);
        });
        end(null);
      },
      (error: unknown) => {
        for (const read of reads) read.reject(error);
        end(error);
      },
    );
  }

  #getEach(cluster: Cluster, breaker: NodeBreaker, reads: readonly Read[]): void {
    let pending = reads.length;
    let isAnswered = false;
    const end = this.#begin(breaker, (error) => {
      for (const read of reads) read.reject(error);
      return isAnswered;
    });
    // A slot that is on the move says nothing about its node: one that answers any read is there.
    const settled = (error: unknown): void => {
      if (error === null) isAnswered = true;
      if (--pending === 0) end(isAnswered ? null : error);
    };
    for (const read of reads) {
      sendTogether(cluster, read.entryKey);
      cluster.getBuffer(read.entryKey).then(
        (bytes) => {
          read.resolve(bytes);
          settled(null);
        },
        (error: unknown) => {
          if (isWrongType(error)) read.resolve(null);
          else read.reject(error);
          settled(isWrongType(error) ? null : error);
        },
      );
    }
  }

  /**
   * Starts a batch's time; the answer ends the batch, with the error it failed with or null. `late` gives
   * up on what has not been answered by then, and says whether anything was.
   */
  #begin(breaker: NodeBreaker, late: (error: EverwarmError) => boolean): (error: unknown) => void {
    this.#underWay++;
    const sentAtMs = performance.now();
    let isOpen = true;
    const end = (error: unknown): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#underWay--;
      stop();
      if (error === null) breaker.succeeded();
      else breaker.failed(error, sentAtMs);
    };
    const expire = (): void => {
      if (!isOpen) return;
      const message = `Redis did not answer within readTimeout (${this.#timeoutMs} ms)`;
      const error = new EverwarmError('REDIS_UNAVAILABLE', message);
      end(late(error) ? null : error);
    };
    const stop = startTimeLimit(this.#timeoutMs, expire);
    return end;
  }
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}
