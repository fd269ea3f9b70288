import type { Redis } from 'ioredis';
import { decodeValue, encodeValue } from '../../../src/redis/codec.ts';
import { decodeEntry, encodeEntry } from '../../../src/redis/entry.ts';
import { EntryStore } from '../../../src/redis/entry-store.ts';
import type { EntryPlace } from '../../../src/redis/fence.ts';
import { type Command, createdAtOf, type Reply } from './model.ts';

const FAR_MS = 600_000;

export interface ServerPart {
  readonly entry: string | null;
  readonly lock: string | null;
}

export interface Job extends ServerPart {
  readonly command: Command;
}

export interface Done {
  readonly reply: Reply;
  readonly server: ServerPart;
}

// Answers and removes every key; 1 for a key that would stay for ever.
const TAKE_ALL = `
  local values = {}
  for at, key in ipairs(KEYS) do
    values[at] = redis.call('PTTL', key) == -1 and 1 or redis.call('GETDEL', key)
  end
  return values
`;

type Seen = Buffer | 1 | null;

/**
 * Carries out steps on the real server: each on keys of its own, many in flight at once. What a step does
 * there follows from the entry, the lock and the command alone, so the same one is carried out once.
 */
export class ModelServer {
  readonly #done = new Map<string, Done>();
  readonly #redis: Redis;
  readonly #store: EntryStore;
  readonly #namespace: string;

  constructor(redis: Redis, namespace: string) {
    this.#redis = redis;
    this.#store = new EntryStore(redis);
    this.#namespace = namespace;
  }

  /** How many different steps it has carried out. */
  get steps(): number {
    return this.#done.size;
  }

  async run(jobs: readonly Job[]): Promise<Done[]> {
    const names = jobs.map(nameOf);
    const fresh = new Map<string, Job>();
    for (const [at, job] of jobs.entries()) {
      const name = names[at] as string;
      if (!this.#done.has(name)) fresh.set(name, job);
    }
    const done = await this.#carryOutAll([...fresh.values()]);
    for (const [at, name] of [...fresh.keys()].entries()) this.#done.set(name, done[at] as Done);
    return names.map((name) => this.#done.get(name) as Done);
  }

  /** Puts each job's state on the server, carries out its command there, and looks at what became of it. */
  async #carryOutAll(jobs: readonly Job[]): Promise<Done[]> {
    if (jobs.length === 0) return [];
    const places = jobs.map((_, at) => this.#place(at));
    const restore = this.#redis.pipeline();
    for (const [at, { entry, lock }] of jobs.entries()) {
      const { entryKey, lockKey } = places[at] as EntryPlace;
      if (entry !== null) restore.set(entryKey, encode(entry), 'PX', FAR_MS);
      if (lock !== null) restore.set(lockKey, lock, 'PX', FAR_MS);
    }
    await restore.exec();
    const replies = await Promise.all(
      jobs.map(({ command }, at) => this.#carryOut(command, places[at] as EntryPlace)),
    );
    const keys = places.flatMap(({ entryKey, lockKey }) => [entryKey, lockKey]);
    const seen = (await this.#redis.callBuffer('EVAL', TAKE_ALL, keys.length, ...keys)) as Seen[];
    return replies.map((reply, at) => ({ reply, server: toServerPart(seen.slice(2 * at)) }));
  }

  #place(at: number): EntryPlace {
    const entryKey = `${this.#namespace}:{${at}}`;
    return { entryKey, lockKey: `${entryKey}:lock` };
  }

  async #carryOut(command: Command, place: EntryPlace): Promise<Reply> {
    switch (command.do) {
      case 'acquire':
        return this.#acquire(command, place);
      case 'renew': {
        const isOurs = await this.#store.renew(place.lockKey, command.token, FAR_MS);
        return { kind: isOurs ? 'renewed' : 'lost' };
      }
      case 'commit': {
        const { token, entry } = command;
        const stored = entry === null ? NOTHING_FOUND : { bytes: encode(entry), lifeMs: FAR_MS };
        return { kind: await this.#store.commit(place, token, stored) };
      }
      case 'put':
        return { kind: await this.#store.put(place, encode(command.entry), FAR_MS) };
      default:
        await this.#change(command, place);
        return { kind: 'done' };
    }
  }

  async #acquire(
    { token, seen, waits }: Extract<Command, { do: 'acquire' }>,
    place: EntryPlace,
  ): Promise<Reply> {
    const waitingSinceMs = waits ? 0 : Number.MAX_SAFE_INTEGER;
    const request = { token, lockTtlMs: FAR_MS, seenCreatedAtMs: seen, waitingSinceMs };
    const reply = await this.#store.acquire(place, request);
    if (reply.kind === 'entry') return { kind: 'entry', entry: decode(reply.bytes) };
    return { kind: reply.kind === 'outcome' ? reply.outcome.kind : reply.kind };
  }

  async #change(command: Command, { entryKey, lockKey }: EntryPlace): Promise<void> {
    switch (command.do) {
      case 'release': {
        const ended = command.hasFailed ? FAILED : null;
        return this.#store.release({ entryKey, lockKey }, command.token, ended);
      }
      case 'invalidate':
        return void (await this.#store.invalidate({ entryKey, lockKey }));
      case 'mark':
        return void (await this.#store.mark({ entryKey, lockKey }));
      case 'expire':
        return void (await this.#redis.pexpire(command.what === 'lock' ? lockKey : entryKey, 0));
      case 'evict':
        return void (await this.#redis.del(command.what === 'lock' ? lockKey : entryKey));
    }
  }
}

function nameOf({ entry, lock, command }: Job): string {
  // What the model alone knows of a commit is nothing to the server.
  const isVoid = command.do === 'commit' ? false : undefined;
  return JSON.stringify([entry, lock, { ...command, isVoid }]);
}

function toServerPart([entry, lock]: readonly Seen[]): ServerPart {
  if (entry === 1 || lock === 1) throw new Error('a step left a key without an expiry');
  return { entry: entry ? decode(entry) : null, lock: lock ? lock.toString() : null };
}

const NOTHING_FOUND = { outcome: { kind: 'not-found' }, atMs: 1 } as const;
const FAILED = {
  outcome: { kind: 'failed', code: 'LOADER_FAILED', message: 'down' },
  atMs: 1,
} as const;
const encoded = new Map<string, Buffer>();

function encode(entry: string): Buffer {
  let bytes = encoded.get(entry);
  if (!bytes) {
    const invalidated = entry.endsWith('!');
    const createdAtMs = createdAtOf(entry);
    const load = { meanMs: 1, deviationMs: 0 };
    const times = { createdAtMs, expiresAtMs: createdAtMs + FAR_MS, load };
    const header = { ...times, logHeat: Number.NaN, unreadLives: 0, invalidated, notFound: false };
    bytes = encodeEntry(header, encodeValue(entry.replace('!', '')));
    encoded.set(entry, bytes);
  }
  return bytes;
}

function decode(bytes: Buffer): string {
  const entry = decodeEntry(bytes);
  if (!entry) throw new Error('a step left bytes that are no entry');
  return `${decodeValue(entry.payload)}${entry.header.invalidated ? '!' : ''}`;
}
