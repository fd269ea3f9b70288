import type { Glob } from '../core/glob.ts';
import type { EntryPlace } from './fence.ts';
import { globOfNames } from './glob-of-names.ts';

/** The part of a loader that stands in key names. */
export interface NamedLoader {
  readonly name: string;
  readonly version: number;
}

/** An entry by its parts, whatever this process knows of its loader. */
export interface EntryName extends EntryPlace {
  readonly loader: string;
  readonly version: number;
  readonly key: string;
}

/** Which entries: all of the namespace, of a loader, of one of its versions, of keys like a glob. */
export interface EntryScope {
  readonly loader: string | null;
  readonly version: number | null;
  readonly glob: Glob | null;
}

/** The keys of one tracker shard; they share a hash tag, so one script may touch all. */
export interface TrackerKeys {
  readonly heat: string;
  readonly due: string;
  readonly failing: string;
  readonly born: string;
  /** There while the tracker takes no new keys. */
  readonly full: string;
}

/** The keys of one limiter's sliding window. */
export interface LimitKeys {
  readonly grants: string;
  readonly clock: string;
}

/** The keys of what the fleet knows of an origin. */
export interface OriginKeys {
  readonly origin: string;
  readonly leases: string;
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

  /** An entry of any loader and version. */
  named(loader: string, version: number, key: string): EntryName {
    const entryKey = this.entry({ name: loader, version }, key);
    return { loader, version, key, entryKey, lockKey: this.lock(entryKey) };
  }

  /** The entry that a key name, its own or its lock's, stands for; null for other keys. */
  parse(keyName: string): EntryName | null {
    if (!keyName.startsWith(`${this.namespace}:{`)) return null;
    const [, loader, version, key] = ENTRY.exec(keyName.slice(this.namespace.length + 1)) ?? [];
    if (loader === undefined || key === undefined) return null;
    return this.named(loader, Number(version), unescapeKeyText(key));
  }

  /** What SCAN may look for: every entry and lock in scope, and perhaps a few others. */
  scanPattern({ loader, version, glob }: EntryScope): string {
    if (loader === null) return `${this.namespace}:{*@*`;
    const key = glob === null ? '*' : `${globOfNames(glob, escapeKeyText)}}*`;
    return `${this.namespace}:{${loader}@${version ?? '*'}:${key}`;
  }

  /** Members are entries: see `member`. */
  tag(tag: string): string {
    return `${this.namespace}:{tag:${escapeKeyText(tag)}}`;
  }

  /** An entry as it stands in an index. */
  member(loader: NamedLoader, key: string): string {
    return `${loader.name}@${loader.version}:${key}`;
  }

  /** The entry that a member of an index stands for; null for what is none. */
  parseMember(member: string): EntryName | null {
    const [, loader, version, key] = MEMBER.exec(member) ?? [];
    if (loader === undefined || key === undefined) return null;
    return this.named(loader, Number(version), key);
  }

  versions(loader: string): string {
    return `${this.namespace}:{${loader}}:versions`;
  }

  tracker(loader: NamedLoader, halfLifeMs: number): TrackerKeys {
    const shard = `${this.namespace}:{${loader.name}:t0of1}`;
    return {
      heat: `${shard}:heat:${halfLifeMs}`,
      due: `${shard}:due:${halfLifeMs}`,
      failing: `${shard}:failing`,
      born: `${shard}:born:${halfLifeMs}`,
      full: `${shard}:full`,
    };
  }

  stats(loader: NamedLoader): string {
    return `${this.namespace}:{${loader.name}}:stats`;
  }

  /** What reads and loads came to, of one slot of time. */
  counts(loader: NamedLoader, slot: number): string {
    return `${this.namespace}:{${loader.name}}:counts:${slot}`;
  }

  /** What workers report of the jobs of a warm-up's run: a job's name → what became of its keys. */
  warm(loader: NamedLoader, runId: string): string {
    return `${this.namespace}:{${loader.name}}:warm:${runId}`;
  }

  /** There while the loader's refreshing is paused. */
  pause(loader: NamedLoader): string {
    return `${this.namespace}:{${loader.name}}:paused`;
  }

  /** The channel on which processes tell each other what to forget; the scripts derive its name too. */
  bus(): string {
    return `${this.namespace}:bus`;
  }

  limit(loader: NamedLoader, limit: NamedLimit): LimitKeys {
    return limitKeys(`${this.namespace}:{${loader.name}}:limit`, limit);
  }

  origin(loader: NamedLoader): OriginKeys {
    const origin = `${this.namespace}:{${loader.name}}:origin`;
    return { origin, leases: `${origin}:leases` };
  }

  /** Of a limiter that belongs to no loader. */
  freeLimit(name: string, key: string, limit: NamedLimit): LimitKeys {
    return limitKeys(`${this.namespace}:{limit:${name}:${escapeKeyText(key)}}`, limit);
  }

  /** Present on the cache server unless that was wiped; on a cluster one a master, told apart by its tag. */
  canary(tag?: number): string {
    return `${this.namespace}:canary${tag === undefined ? '' : `:{${tag}}`}`;
  }

  /** The hottest keys of an hour, counted from the epoch. */
  history(loader: NamedLoader, hour: number): string {
    return `${this.namespace}:{${loader.name}}:history:${hour}`;
  }

  /** How well each hour was foretold so far. */
  historyScores(loader: NamedLoader): string {
    return `${this.namespace}:{${loader.name}}:history:scores`;
  }

  /** The keys that a run expects to be wanted. */
  expected(loader: NamedLoader, name: string): string {
    return `${this.namespace}:{${loader.name}}:history:expected:${name}`;
  }

  /** Who runs a warm-up plan at the moment. */
  warmUpLock(plan: string): string {
    return `${this.namespace}:{warm-up:${plan}}:lock`;
  }

  /** The last run of each warm-up plan. */
  warmUpRuns(): string {
    return `${this.namespace}:warm-up-runs`;
  }

  /** BullMQ's prefix of the queue of warm-ups: that of a loader without a name, which none is. */
  warmUpsPrefix(): string {
    return `{${this.namespace}:}`;
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
const ENTRY = /^\{([A-Za-z0-9_.-]+)@(\d+):([^{}]*)\}(?::lock)?$/;
const MEMBER = /^([A-Za-z0-9_.-]+)@(\d+):([\s\S]*)$/;

const RESERVED = /[%{}]/g;
const ESCAPED = /%(?:25|7B|7D)/g;
const ESCAPES: Readonly<Record<string, string>> = { '%': '%25', '{': '%7B', '}': '%7D' };

/** Key text as it stands in a Redis key name: without braces, so that the hash tag is exactly ours. */
export function escapeKeyText(key: string): string {
  return key.replace(RESERVED, (character) => ESCAPES[character] ?? character);
}

function unescapeKeyText(text: string): string {
  return text.replace(ESCAPED, (encoded) => decodeURIComponent(encoded));
}
