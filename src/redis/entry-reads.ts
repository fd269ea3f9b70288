import { EverwarmError } from '../core/errors.ts';
import { isCluster, type RedisClient, sendTogether } from './redis-client.ts';

/** Up to so many reads go out at once, each by itself; more wait for each other. */
const ALONE = 2;
/** More keys in one MGET would hold up the server's other clients. */
const MAX_BATCH = 200;

interface Read {
  readonly entryKey: string;
  readonly resolve: (bytes: Buffer | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads entries, one round trip each. Reads that start while others are under way share an MGET, so
 * that a busy process costs Redis and itself one command for many reads; a lone read never waits.
 * A key of another Redis type reads as absent.
 */
export class EntryReads {
  readonly #redis: RedisClient;
  readonly #timeoutMs: number;
  readonly #flushSoon: () => void;
  #underWay = 0;
  #waiting: Read[] = [];

  constructor(redis: RedisClient, timeoutMs: number) {
    this.#redis = redis;
    this.#timeoutMs = timeoutMs;
    this.#flushSoon = () => this.#flush();
  }

  /** Rejects when Redis fails or does not answer within the timeout. */
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

  /** As `get` for each key, in few round trips. */
  getMany(entryKeys: readonly string[]): Promise<(Buffer | null)[]> {
    const reads = entryKeys.map(
      (entryKey) =>
        new Promise<Buffer | null>((resolve, reject) => {
          this.#waiting.push({ entryKey, resolve, reject });
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
    // A cluster takes one slot a command, and a node that is down must not fail the keys of others.
    if (isCluster(this.#redis) && reads.length > 1) {
      for (const read of reads) {
        sendTogether(this.#redis, read.entryKey);
        this.#send([read]);
      }
      return;
    }
    this.#underWay++;
    let isOpen = true;
    const settle = (one: (read: Read, at: number) => void): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#underWay--;
      clearTimeout(timeout);
      reads.forEach(one);
    };
    const timeout = setTimeout(() => {
      const message = `Redis did not answer within readTimeout (${this.#timeoutMs} ms)`;
      const error = new EverwarmError('REDIS_UNAVAILABLE', message);
      settle((read) => read.reject(error));
    }, this.#timeoutMs);
    this.#redis.mgetBuffer(reads.map((read) => read.entryKey)).then(
      (values) => settle((read, at) => read.resolve(values[at] ?? null)),
      (error: unknown) => settle((read) => read.reject(error)),
    );
  }
}
