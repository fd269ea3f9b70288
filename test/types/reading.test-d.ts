import { expectTypeOf } from 'vitest';
import {
  type Cache,
  type Codec,
  defineLoader,
  type Loader,
  type Meta,
  notModified,
  type StaleReason,
  type StandardSchemaV1,
  withEtag,
} from '../../src/index.ts';

/*
 * Checked by tsc and never run: the types of what loaders may say of staleness, lives, ETags and forms,
 * and of what reads and writes make of it. An unused @ts-expect-error is an error itself.
 */

interface Page {
  readonly text: string;
}
const load = async (id: string): Promise<Page> => ({ text: id });
const plain = defineLoader({ name: 'plain', ttl: '1m', load });

export function metaIsAUnion(meta: Meta<Page>): void {
  expectTypeOf(meta.value).toEqualTypeOf<Page>();
  expectTypeOf(meta.source).toEqualTypeOf<'memory' | 'redis' | 'loader'>();
  expectTypeOf(meta.state).toEqualTypeOf<'fresh' | 'uncached' | 'stale'>();
  expectTypeOf(meta.ttlMs).toEqualTypeOf<number>();
  if (meta.state === 'stale') expectTypeOf(meta.staleBecause).toEqualTypeOf<StaleReason>();
  else expectTypeOf(meta.staleBecause).toEqualTypeOf<undefined>();
  expectTypeOf<StaleReason>().toEqualTypeOf<
    'revalidating' | 'invalidated' | 'load-failed' | 'load-slow' | 'lock-held'
  >();
  // @ts-expect-error: what is told of a read cannot be changed
  meta.state = 'fresh';
}

export function timesAreDurations(): void {
  defineLoader({
    name: 'x',
    ttl: '1m',
    staleWhileRevalidate: '5m',
    staleIfError: 0,
    maxStaleness: '1h',
    notFoundTtl: '1.5s',
    loadTimeout: { soft: 50, hard: '2s' },
    emptyGuard: { share: 0.5, atLeast: 3 },
    load,
  });
  defineLoader({ name: 'x', ttl: '1m', loadTimeout: '2s', emptyGuard: true, load });
  // @ts-expect-error: not a duration
  defineLoader({ name: 'x', ttl: '1m', staleWhileRevalidate: true, load });
  // @ts-expect-error: not a duration
  defineLoader({ name: 'x', ttl: '1m', staleIfError: '1 hour', load });
  // @ts-expect-error: null is no ttl; leave it out
  defineLoader({ name: 'x', ttl: '1m', notFoundTtl: null, load });
  // @ts-expect-error: no such timeout
  defineLoader({ name: 'x', ttl: '1m', loadTimeout: { soft: 50, hardest: 1 }, load });
  // @ts-expect-error: a number is no guard
  defineLoader({ name: 'x', ttl: '1m', emptyGuard: 10, load });
}

export function ttlMayBeAFunctionOfTheValue(): void {
  const byValue = defineLoader({
    name: 'x',
    load,
    ttl: (value, params) => {
      // Null may be set by anybody.
      expectTypeOf(value).toEqualTypeOf<Page | null>();
      expectTypeOf(params).toEqualTypeOf<string>();
      return value?.text === '' ? '1s' : 60_000;
    },
    nominalTtl: '1m',
  });
  expectTypeOf(byValue).toEqualTypeOf<Loader<string, Page>>();
  // @ts-expect-error: answers a duration
  defineLoader({ name: 'x', load, ttl: (value) => value?.text ?? 'a', nominalTtl: '1m' });
  // @ts-expect-error: answers it at once
  defineLoader({ name: 'x', load, ttl: async () => '1m' as const, nominalTtl: '1m' });
  // @ts-expect-error: params are what load takes
  defineLoader({ name: 'x', load, ttl: (_: Page | null, id: number) => id, nominalTtl: '1m' });
}

export function notModifiedAndEtagsDoNotShowInWhatIsRead(cache: Cache): void {
  const page = defineLoader({
    name: 'page',
    ttl: '1m',
    load: async (id: string, { etag }) => {
      expectTypeOf(etag).toEqualTypeOf<string | undefined>();
      if (etag === '"1"') return notModified();
      return withEtag({ text: id } as Page, '"1"');
    },
    loadMany: async (ids, { etags }) => {
      expectTypeOf(etags).toEqualTypeOf<readonly (string | undefined)[]>();
      return ids.map((id, at) => (etags[at] ? notModified() : withEtag({ text: id }, '"1"')));
    },
  });
  const maybe = defineLoader({
    name: 'maybe',
    ttl: '1m',
    load: async (id: string, { etag }) => {
      if (etag !== undefined) return notModified();
      return id === '' ? undefined : withEtag(42, 'v42');
    },
  });
  expectTypeOf(cache.get(page, 'a')).resolves.toEqualTypeOf<Page>();
  expectTypeOf(cache.getMany(page, ['a'])).resolves.toEqualTypeOf<Page[]>();
  expectTypeOf(cache.getWithMeta(page, 'a')).resolves.toEqualTypeOf<Meta<Page>>();
  expectTypeOf(cache.get(maybe, 'a')).resolves.toEqualTypeOf<number | undefined>();
  void cache.set(page, 'a', { text: 'set' });
  // @ts-expect-error: a value is set, not a loader's answer
  void cache.set(page, 'a', notModified());
  // @ts-expect-error: nor one with its ETag
  void cache.set(page, 'a', withEtag({ text: 'a' }, '"1"'));
  // @ts-expect-error: an ETag is text
  withEtag(1, 2);
}

export function writesAreTypedByTheirLoader(cache: Cache): void {
  const write = async (): Promise<Page> => ({ text: 'b' });
  const nothing = async (): Promise<void> => undefined;
  expectTypeOf(cache.writeThrough(plain, 'a', write)).resolves.toEqualTypeOf<Page>();
  expectTypeOf(cache.writeThrough(plain, 'a', nothing)).resolves.toEqualTypeOf<void>();
  expectTypeOf(cache.writeThrough(plain, 'a', () => null)).resolves.toEqualTypeOf<null>();
  expectTypeOf(
    cache.writeThrough(plain, 'a', (): Page | undefined => undefined),
  ).resolves.toEqualTypeOf<Page | undefined>();
  expectTypeOf(cache.setMany(plain, [['a', { text: 'a' }]])).resolves.toEqualTypeOf<void>();
  // @ts-expect-error: answers what the loader does not
  void cache.writeThrough(plain, 'a', async () => 42);
  // @ts-expect-error: params of another type
  void cache.writeThrough(plain, 1, write);
  // @ts-expect-error: a write is a function
  void cache.writeThrough(plain, 'a', { text: 'b' });
  // @ts-expect-error: pairs of params and value
  void cache.setMany(plain, [{ text: 'a' }]);
  // @ts-expect-error: undefined is no value
  void cache.setMany(plain, [['a', undefined]]);
}

declare const codec: Codec;
declare const schema: StandardSchemaV1<unknown, Page>;

export function formsAreChecked(cache: Cache): void {
  const full = defineLoader({
    name: 'x',
    ttl: '1m',
    memory: { maxEntries: 10, ttl: '1s', clone: true },
    limit: { max: 10, per: '1s' },
    codec,
    compress: { algorithm: 'brotli', above: 100 },
    tags: (id) => [`page:${id}`],
    schema,
    validateOnRead: true,
    load: async (id: string): Promise<unknown> => id,
  });
  // The schema says what is read.
  expectTypeOf(cache.get(full, 'a')).resolves.toEqualTypeOf<Page>();
  defineLoader({ name: 'x', ttl: '1m', memory: false, codec: 'json', compress: 'gzip', load });
  // @ts-expect-error: no such codec
  defineLoader({ name: 'x', ttl: '1m', codec: 'xml', load });
  // @ts-expect-error: no such algorithm
  defineLoader({ name: 'x', ttl: '1m', compress: 'zip', load });
  // @ts-expect-error: memory is options or false
  defineLoader({ name: 'x', ttl: '1m', memory: true, load });
  // @ts-expect-error: per is missing
  defineLoader({ name: 'x', ttl: '1m', limit: { max: 1 }, load });
  // @ts-expect-error: tags are texts
  defineLoader({ name: 'x', ttl: '1m', tags: () => [1], load });
  // Annotated, they may stand before or after a load that takes its context.
  const before = defineLoader({
    name: 'before',
    ttl: '1m',
    tags: (id: string) => [id],
    load: (id: string, { signal }) => [id, signal.aborted] as const,
  });
  const after = defineLoader({
    name: 'after',
    load: (id: string, { signal }) => [id, signal.aborted] as const,
    nominalTtl: '1m',
    ttl: (_value, id: string) => id.length,
    tags: (id: string) => [id],
  });
  expectTypeOf(before).toEqualTypeOf<Loader<string, readonly [string, boolean]>>();
  expectTypeOf(after).toEqualTypeOf<Loader<string, readonly [string, boolean]>>();
}

export function invalidationsTakeTheirOptions(cache: Cache): void {
  void cache.invalidate(plain, 'a', { soft: true, again: '2s', durable: true });
  void cache.invalidateTags(['a'], { soft: true });
  void cache.invalidatePattern(plain, '*', { confirm: true });
  void cache.invalidateLoader(plain, { version: 2 });
  // @ts-expect-error: no such option
  void cache.invalidate(plain, 'a', { softly: true });
  // @ts-expect-error: a duration
  void cache.invalidate(plain, 'a', { again: true });
}
