import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import { Glob } from '../core/glob.ts';
import type { Invalidation } from '../core/invalidation.ts';
import { Slots } from '../core/slots.ts';
import type { EntryScan } from '../redis/entry-scan.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { EntryName, EntryScope, Keys } from '../redis/keys.ts';
import type { LiveVersions } from '../redis/live-versions.ts';
import type { TagIndex } from '../redis/tag-index.ts';
import type { Tracker } from '../redis/tracker.ts';
import type { Announcer, Dropped, LocalDrop } from './dropped.ts';
import type { PlaceInvalidator } from './place-invalidator.ts';

/*
 * Each kind comes down to entries, and each entry to one atomic step. Around that step, in this process
 * and the others: forget before, so that nobody joins what read an older state, and forget after, for
 * what read one while the step was on its way.
 */

/** What of a loader of this process an invalidation needs. */
export interface InvalidatedLoader {
  readonly loader: { readonly version: number };
  readonly tracker: Pick<Tracker, 'lookNow'>;
}

export interface InvalidationParts {
  readonly keys: Keys;
  /** The loaders of this process, by name. */
  readonly loaders: ReadonlyMap<string, InvalidatedLoader>;
  readonly places: PlaceInvalidator;
  readonly scan: EntryScan;
  readonly tags: TagIndex;
  readonly versions: LiveVersions;
  readonly local: LocalDrop;
  readonly announcer: Announcer;
  readonly clock: Clock;
  readonly events: Events;
}

/** How one run goes. */
export interface InvalidationRun {
  /** Writes by this one instead of the usual one. */
  readonly store?: EntryStore;
}

/** How one batch of entries is invalidated. */
interface Batch extends InvalidationRun {
  readonly soft: boolean;
  readonly isRepeated: boolean;
}

/** Keys that a message to other processes names. */
const ANNOUNCED_KEYS = 500;
const TAGS_AT_A_TIME = 10;

/** Carries out invalidations of every kind. */
export class InvalidationRunner {
  readonly #parts: InvalidationParts;

  constructor(parts: InvalidationParts) {
    this.#parts = parts;
  }

  /**
   * Answers how many entries were removed, or marked.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE when that could not be confirmed
   */
  run(invalidation: Invalidation, run: InvalidationRun = {}): Promise<number> {
    const { soft } = invalidation;
    switch (invalidation.kind) {
      case 'keys':
        return this.#keys(invalidation, { soft, isRepeated: true, ...run });
      case 'tags':
        return this.#tags(invalidation.tags, { soft, isRepeated: false, ...run });
      default:
        return this.#wide(invalidation, { soft, isRepeated: false, ...run });
    }
  }

  async #keys(
    { loader, keys }: Extract<Invalidation, { kind: 'keys' }>,
    batch: Batch,
  ): Promise<number> {
    const { versions, loaders } = this.#parts;
    const own = loaders.get(loader)?.loader.version ?? null;
    const invalidate = (version: number): Promise<number> =>
      this.#entries(this.#named(loader, version, keys), batch);
    // Asked at the same time: other versions are rare, and must cost no second round trip.
    const others = versions.others(loader, own).then((found) => Promise.all(found.map(invalidate)));
    const [ofOwn, ofOthers] = await Promise.all([own === null ? 0 : invalidate(own), others]);
    return ofOthers.reduce((sum, count) => sum + count, ofOwn);
  }

  async #tags(tags: readonly string[], batch: Batch): Promise<number> {
    const slots = new Slots(TAGS_AT_A_TIME);
    let count = 0;
    const done = await Promise.allSettled(
      tags.map((tag) =>
        slots.run(() =>
          this.#parts.tags.find(tag, async (found) => {
            const removed = await this.#entries(found, batch);
            count += removed; // Not in one: another batch may have been counted meanwhile.
          }),
        ),
      ),
    );
    for (const one of done) if (one.status === 'rejected') throw one.reason;
    return count;
  }

  async #wide(
    invalidation: Exclude<Invalidation, { kind: 'keys' | 'tags' }>,
    batch: Batch,
  ): Promise<number> {
    const { scan, places } = this.#parts;
    let count = 0;
    await this.#around([droppedBy(invalidation)], () =>
      scan.run(scopeOf(invalidation), async (found) => {
        const removed = await places.invalidate(found, batch);
        count += removed;
        if (batch.soft) await this.#refresh(found);
      }),
    );
    return count;
  }

  async #entries(found: readonly EntryName[], batch: Batch): Promise<number> {
    return this.#around([...droppedEntries(found)], async () => {
      const count = await this.#parts.places.invalidate(found, batch);
      if (batch.soft) await this.#refresh(found);
      return count;
    });
  }

  /** Makes this process and the others forget what was just invalidated by other means. */
  async forget(found: readonly EntryName[]): Promise<void> {
    await this.#around([...droppedEntries(found)], async () => undefined);
  }

  /** Also when it fails: some of it may have been done. */
  async #around<T>(dropped: readonly Dropped[], invalidate: () => Promise<T>): Promise<T> {
    const { local } = this.#parts;
    for (const what of dropped) local.drop(what);
    try {
      return await invalidate();
    } finally {
      for (const what of dropped) local.drop(what);
      await Promise.all(dropped.map((what) => this.#announce(what)));
    }
  }

  #named(loader: string, version: number, keys: readonly string[]): EntryName[] {
    return keys.map((key) => this.#parts.keys.named(loader, version, key));
  }

  /** Lets schedulers look at once. Their readers refresh them too, if later: so failing is no failure. */
  async #refresh(found: readonly EntryName[]): Promise<void> {
    const { loaders, clock, events } = this.#parts;
    for (const [loader, keys] of keysByLoader(found)) {
      const looking = loaders.get(loader)?.tracker.lookNow(keys, clock.now());
      await looking?.catch((error: unknown) => {
        events.emit('redis:failed', { role: 'queue', error });
      });
    }
  }

  // Whom it did not reach keeps its copies for the tier's ttl, or until it listens again.
  async #announce(what: Dropped): Promise<void> {
    const { announcer, events } = this.#parts;
    await announcer.announce(what).catch((error: unknown) => {
      events.emit('redis:failed', { role: 'cache', error });
    });
  }
}

type WideInvalidation = Exclude<Invalidation, { kind: 'keys' | 'tags' }>;

function scopeOf(invalidation: WideInvalidation): EntryScope {
  const all = { loader: null, version: null, glob: null };
  if (invalidation.kind === 'namespace') return all;
  const { loader } = invalidation;
  if (invalidation.kind === 'loader') return { ...all, loader, version: invalidation.version };
  return { ...all, loader, glob: new Glob(invalidation.glob) };
}

function droppedBy(invalidation: WideInvalidation): Dropped {
  if (invalidation.kind === 'namespace') return { kind: 'namespace' };
  const { kind, loader } = invalidation;
  return kind === 'loader' ? { kind, loader } : { kind, loader, glob: invalidation.glob };
}

function* droppedEntries(found: readonly EntryName[]): Iterable<Dropped> {
  for (const [loader, keys] of keysByLoader(found)) {
    for (let from = 0; from < keys.length; from += ANNOUNCED_KEYS) {
      yield { kind: 'keys', loader, keys: keys.slice(from, from + ANNOUNCED_KEYS) };
    }
  }
}

function keysByLoader(found: readonly EntryName[]): Map<string, string[]> {
  const byLoader = new Map<string, string[]>();
  for (const { loader, key } of found) {
    const keys = byLoader.get(loader);
    if (keys) keys.push(key);
    else byLoader.set(loader, [key]);
  }
  return byLoader;
}
