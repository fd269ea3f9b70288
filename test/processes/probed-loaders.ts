import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { defineLoader, type LoadContext, type LoaderDefinition } from '../../src/index.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';

/** A loader of a test. */
export type LoaderSpec = Omit<
  LoaderDefinition<string, ProbedValue>,
  'load' | 'loadMany' | 'tags'
> & {
  /** How long its origin takes to answer. */
  readonly loadMs?: number;
  /** A tag of all its keys. */
  readonly tag?: string;
};

/** What a loader call tells the test: a line of the list `calls`. */
export interface ProbedCall {
  readonly stage: 'started' | 'finished' | 'aborted' | 'failed';
  /** Number of the call, over all processes. */
  readonly n: number;
  readonly loader: string;
  readonly version: number;
  readonly key: string;
  readonly reason: string;
  readonly by: Caller;
  readonly pid: number;
  /** Whether it waits for the test to open the gate. */
  readonly isHeld: boolean;
}

/** What a loader call answers. */
export interface ProbedValue {
  readonly n: number;
  readonly version: number;
  readonly pid: number;
  /** What the origin said when the load started. */
  readonly origin: string | null;
}

/** Whose process called: a reader loads misses, and what workers are too late for. */
export type Caller = 'reader' | 'worker';

/** How a held call waits: `deaf` does not listen to its signal. */
export type Hold = 'obedient' | 'deaf';

/**
 * Names of the lists and strings by which a test and the loaders of its processes speak; beside the
 * namespace, so that Everwarm has nothing to do with them.
 */
export interface ProbeKeys {
  readonly calls: string;
  readonly count: string;
  readonly gate: string;
  readonly failing: string;
  /** Of calls for a key; '' for those of any. */
  holds(by: Caller, key: string): string;
  origin(key: string): string;
}

export function probeKeys(namespace: string): ProbeKeys {
  const at = (name: string): string => `probe-${namespace}:${name}`;
  return {
    calls: at('calls'),
    count: at('count'),
    gate: at('gate'),
    failing: at('failing'),
    holds: (by, key) => at(`holds:${by}:${key}`),
    origin: (key) => at(`origin:${key}`),
  };
}

/** Where the loaders of a process meet their test, and whose they are. */
export interface ProbePlace {
  readonly redis: Redis;
  readonly namespace: string;
  readonly by: Caller;
}

/** The loaders of these specs. Each call asks the test, over Redis, how it is to behave. */
export function probedLoaders(
  specs: readonly LoaderSpec[],
  place: ProbePlace,
): readonly AnyLoader[] {
  return specs.map((spec) => {
    const origin = new ProbedOrigin(spec, place);
    const { loadMs: _, tag, ...definition } = spec;
    return defineLoader({
      ...definition,
      ...(tag === undefined ? {} : { tags: () => [tag] }),
      load: (key: string, context: LoadContext) => origin.load(key, context),
    });
  });
}

class ProbedOrigin {
  readonly #spec: LoaderSpec;
  readonly #redis: Redis;
  readonly #keys: ProbeKeys;
  readonly #by: Caller;

  constructor(spec: LoaderSpec, { redis, namespace, by }: ProbePlace) {
    this.#spec = spec;
    this.#redis = redis;
    this.#keys = probeKeys(namespace);
    this.#by = by;
  }

  async load(key: string, { reason, signal }: LoadContext): Promise<ProbedValue> {
    const { name, version = 1, loadMs = 0 } = this.#spec;
    const by = this.#by;
    const [n, origin, ownHold, anyHold, isFailing] = await Promise.all([
      this.#redis.incr(this.#keys.count),
      this.#redis.get(this.#keys.origin(key)),
      this.#redis.lpop(this.#keys.holds(by, key)),
      this.#redis.lpop(this.#keys.holds(by, '')),
      this.#redis.sismember(this.#keys.failing, key),
    ]);
    const { pid } = process;
    const hold = ownHold ?? anyHold;
    const call = { n, loader: name, version, key, reason, by, pid, isHeld: hold !== null };
    await this.#tell({ ...call, stage: 'started' });
    try {
      if (hold) await this.#untilGateOpens(hold as Hold, signal);
      if (loadMs > 0) await delay(loadMs, undefined, { signal });
      if (isFailing) throw new Error(`the origin of ${key} is down`);
    } catch (error) {
      await this.#tell({ ...call, stage: signal.aborted ? 'aborted' : 'failed' });
      throw error;
    }
    await this.#tell({ ...call, stage: 'finished' });
    return { n, version, pid, origin };
  }

  async #untilGateOpens(hold: Hold, signal: AbortSignal): Promise<void> {
    const connection = this.#redis.duplicate();
    const leave = (): void => connection.disconnect();
    if (hold === 'obedient') signal.addEventListener('abort', leave, { once: true });
    try {
      await connection.blpop(this.#keys.gate, 0);
    } finally {
      connection.disconnect();
    }
  }

  async #tell(call: ProbedCall): Promise<void> {
    await this.#redis.rpush(this.#keys.calls, JSON.stringify(call));
  }
}
