/** The part of a loader that stands in key names. */
export interface NamedLoader {
  readonly name: string;
  readonly version: number;
}

/** The keys of one tracker shard; they share a hash tag, so one script may touch all. */
export interface TrackerKeys {
  readonly heat: string;
  readonly due: string;
  readonly failing: string;
  readonly born: string;
}

/** The keys of one limiter's sliding window. */
export interface LimitKeys {
  readonly grants: string;
  readonly clock: string;
}

/** The part of a limit that stands in key names. */
interface NamedLimit {
  readonly max: number;
  readonly perMs: number;
}

/**
 * Every key name of Everwarm. Entry and lock share a hash tag, so do the keys of a tracker shard: on a
 * cluster each script stays in one slot. Half-life and shard count stand in the tracker's names:
 * two deploys that disagree about them must never mix in one sorted set. So do a limit's numbers.
 */
export class Keys {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  entry(loader: NamedLoader, key: string): string {
    return `${this.entryPrefix(loader)}${escapeKeyText(key)}}`;
  }

  /** What the entries of a loader's version begin with. */
  entryPrefix(loader: NamedLoader): string {
    return `${this.namespace}:{${loader.name}@${loader.version}:`;
  }

  lock(entryKey: string): string {
    return `${entryKey}:lock`;
  }

  tracker(loader: NamedLoader, halfLifeMs: number): TrackerKeys {
    const shard = `${this.namespace}:{${loader.name}:t0of1}`;
    return {
      heat: `${shard}:heat:${halfLifeMs}`,
      due: `${shard}:due:${halfLifeMs}`,
      failing: `${shard}:failing`,
      born: `${shard}:born:${halfLifeMs}`,
    };
  }

  stats(loader: NamedLoader): string {
    return `${this.namespace}:{${loader.name}}:stats`;
  }

  /** The channel on which processes tell each other what to forget; the scripts derive its name too. */
  bus(): string {
    return `${this.namespace}:bus`;
  }

  limit(loader: NamedLoader, limit: NamedLimit): LimitKeys {
    return limitKeys(`${this.namespace}:{${loader.name}}:limit`, limit);
  }

  /** Of a limiter that belongs to no loader. */
  freeLimit(name: string, key: string, limit: NamedLimit): LimitKeys {
    return limitKeys(`${this.namespace}:{limit:${name}:${escapeKeyText(key)}}`, limit);
  }

  /** Present on the cache server unless that was wiped. */
  canary(): string {
    return `${this.namespace}:canary`;
  }

  /** BullMQ's prefix: its braces keep a queue in one slot of a cluster. */
  queuePrefix(loader: NamedLoader): string {
    return `{${this.namespace}:${loader.name}}`;
  }
}

function limitKeys(start: string, { max, perMs }: NamedLimit): LimitKeys {
  const grants = `${start}:${max}per${perMs}`;
  return { grants, clock: `${grants}:clock` };
}

const RESERVED = /[%{}]/g;
const ESCAPES: Readonly<Record<string, string>> = { '%': '%25', '{': '%7B', '}': '%7D' };

/** Key text as it stands in a Redis key name: without braces, so that the hash tag is exactly ours. */
export function escapeKeyText(key: string): string {
  return key.replace(RESERVED, (character) => ESCAPES[character] ?? character);
}
