import { EverwarmError, messageOf, printValue } from '../core/errors.ts';
import { encodeKey } from '../loaders/key-codec.ts';
import { type HottestSource, isIterable, type KeysContext, type Source } from './warm-keys.ts';

export interface KeyStreamParts {
  /** Named in errors. */
  readonly plan: string;
  readonly sources: readonly Source[];
  readonly context: KeysContext;
  /** Key texts of the hottest keys, hottest first. */
  hottest(source: HottestSource): AsyncIterable<string>;
  /** Told of params that make no key: the others are warmed. */
  onRefused(error: unknown): void;
}

/** Keys of a union are told apart up to here; beyond it one may come twice, and is found fresh. */
const MOST_REMEMBERED = 100_000;

/**
 * The key texts of a run's sources, one after the other, without repeats between them. The same sources
 * give the same keys in the same order, so that a later attempt can go on where an earlier one was.
 */
export async function* keyStream(parts: KeyStreamParts): AsyncGenerator<string> {
  const isUnion = parts.sources.length > 1;
  const seen = new Set<string>();
  for (const source of parts.sources) {
    for await (const key of keysOf(source, parts)) {
      if (isUnion && seen.has(key)) continue;
      if (isUnion && seen.size < MOST_REMEMBERED) seen.add(key);
      yield key;
    }
  }
}

async function* keysOf(source: Source, parts: KeyStreamParts): AsyncGenerator<string> {
  if (source.kind === 'hottest') {
    yield* parts.hottest(source);
    return;
  }
  for await (const params of await paramsOf(source, parts)) {
    const key = keyOf(params, parts);
    if (key !== null) yield key;
  }
}

async function paramsOf(
  source: Exclude<Source, { kind: 'hottest' }>,
  { plan, context }: KeyStreamParts,
): Promise<Iterable<unknown> | AsyncIterable<unknown>> {
  if (source.kind === 'params') return source.params;
  const answer = await source.answer(context);
  if (isIterable(answer)) return answer;
  const message = `warm-up "${plan}": keys answered ${printValue(answer)}: it must be (async) iterable params`;
  throw new EverwarmError('INVALID_OPTION', message);
}

function keyOf(params: unknown, { onRefused }: KeyStreamParts): string | null {
  try {
    return encodeKey(params);
  } catch (error) {
    onRefused(new Error(messageOf(error), { cause: error }));
    return null;
  }
}

/** How many keys there are at most, where sources tell; null: nobody knows before the end. */
export async function knownTotal(
  sources: readonly Source[],
  countHottest: (source: HottestSource) => Promise<number>,
): Promise<number | null> {
  let total = 0;
  for (const source of sources) {
    if (source.kind === 'hottest') total += await countHottest(source);
    else if (source.kind === 'params' && Array.isArray(source.params))
      total += source.params.length;
    else if (source.kind === 'params' && source.params instanceof Set) total += source.params.size;
    else return null;
  }
  return total;
}
