import { checkTag } from '../config/rules.ts';
import type { Clock } from '../core/clock.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import type { LoadTarget } from '../loaders/run-loader.ts';
import { lifeMs } from '../policy/freshness.ts';
import type { TaggedEntry, TagIndex } from '../redis/tag-index.ts';

/** Why an entry must not be stored, whatever its value: an invalidation would not find it. */
export interface Refused {
  readonly error: unknown;
}

const MOST_TAGS = 32;
/** A commit may be retried, and clocks differ a little. */
const SLACK_MS = 10_000;

/** Puts entries under their tags before they can be there, so that an invalidation finds them. */
export class EntryTags {
  readonly #index: TagIndex;
  readonly #clock: Clock;

  constructor(index: TagIndex, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  /**
   * Resolves when an invalidation of their tags would find these keys of one loader; to the reasons why the
   * others, by their place, must not be stored. They stay for `keptMs`, by default for a load and a usual
   * life. Never rejects.
   */
  async add(
    targets: readonly LoadTarget[],
    keptMs?: number,
  ): Promise<ReadonlyMap<number, Refused>> {
    const refused = new Map<number, Refused>();
    const tagged = targets.map((target, at) => {
      try {
        return this.#entries(target, keptMs ?? target.loader.loadTimeoutMs + lifeMs(target.loader));
      } catch (error) {
        refused.set(at, { error });
        return [];
      }
    });
    try {
      const entries = tagged.flat();
      if (entries.length > 0) await this.#index.add(entries);
    } catch (error) {
      for (const [at, entries] of tagged.entries())
        if (entries.length > 0) refused.set(at, { error });
    }
    return refused;
  }

  #entries({ loader, key }: LoadTarget, keptMs: number): TaggedEntry[] {
    const untilMs = this.#clock.now() + keptMs + SLACK_MS;
    return tagsOf(loader, key).map((tag) => ({ tag, loader, key, untilMs }));
  }
}

/**
 * The tags of a key, each once.
 *
 * @throws InvalidOptionError for what are no tags, or whatever the loader's function throws
 */
export function tagsOf(loader: AnyLoader, key: string): readonly string[] {
  if (!loader.isTagged) return [];
  const tags: unknown = loader.tags(decodeKey(key) as never);
  const path = `loader "${loader.name}": tags(${key})`;
  if (!Array.isArray(tags)) {
    // An async function's promise: nobody else will look at it.
    if (tags instanceof Promise) tags.catch(() => undefined);
    throw new InvalidOptionError(path, tags, 'must be an array of tags');
  }
  if (tags.length > MOST_TAGS) {
    throw new InvalidOptionError(path, tags, `must be at most ${MOST_TAGS} tags`);
  }
  return [...new Set(tags.map((tag, at) => checkTag(tag, `${path}[${at}]`)))];
}
