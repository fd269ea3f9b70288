import { expectTypeOf } from 'vitest';
import { type Cache, defineLoader, type Loader, type Meta } from '../../src/index.ts';

/*
 * Checked by tsc and never run: what the compiler must infer, and what it must refuse. An unused
 * @ts-expect-error is an error itself.
 */

interface Product {
  readonly id: string;
  readonly price: number;
}
interface Range {
  readonly from: number;
  readonly to?: number;
}

const product = defineLoader({
  name: 'product',
  ttl: '5m',
  load: async (id: string): Promise<Product> => ({ id, price: 1 }),
});
const range = defineLoader({
  name: 'range',
  ttl: 100,
  load: ({ from, to }: Range, { signal, key, reason, attempt }) => {
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(key).toEqualTypeOf<string>();
    expectTypeOf(reason).toEqualTypeOf<'miss' | 'refresh' | 'warm'>();
    expectTypeOf(attempt).toEqualTypeOf<number>();
    return [from, to ?? from];
  },
});
const maybe = defineLoader({
  name: 'maybe',
  ttl: '1h',
  load: async (id: number): Promise<Product | undefined> => (id ? undefined : undefined),
  loadMany: async (ids, { keys }) => {
    expectTypeOf(ids).toEqualTypeOf<readonly number[]>();
    expectTypeOf(keys).toEqualTypeOf<readonly string[]>();
    return ids.map(() => new Error('none'));
  },
});
const top = defineLoader({ name: 'top', ttl: '1d', load: async () => ['a', 'b'] });
const optional = defineLoader({
  name: 'optional',
  ttl: '1d',
  load: async (page: number | undefined) => page ?? 0,
});

export function loadersAreTypedByTheirLoad(): void {
  expectTypeOf(product).toEqualTypeOf<Loader<string, Product>>();
  expectTypeOf(range).toEqualTypeOf<Loader<Range, number[]>>();
  expectTypeOf(maybe).toEqualTypeOf<Loader<number, Product | undefined>>();
}

export function readsAreTypedByTheirLoader(cache: Cache): void {
  expectTypeOf(cache.get(product, 'a')).resolves.toEqualTypeOf<Product>();
  expectTypeOf(cache.get(range, { from: 1 })).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(cache.get(maybe, 1)).resolves.toEqualTypeOf<Product | undefined>();
  expectTypeOf(cache.getWithMeta(product, 'a')).resolves.toEqualTypeOf<Meta<Product>>();
  expectTypeOf(cache.getMany(product, ['a'])).resolves.toEqualTypeOf<Product[]>();
  expectTypeOf(cache.invalidate(product, 'a')).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(cache.invalidate(product, 'a', { soft: true })).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(cache.invalidateMany(range, [{ from: 1 }])).resolves.toEqualTypeOf<number>();
}

export function paramsMayBeLeftOutWhereThereAreNone(cache: Cache): void {
  expectTypeOf(cache.get(top)).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(cache.get(top, null)).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(cache.get(optional)).resolves.toEqualTypeOf<number>();
  expectTypeOf(cache.get(optional, 2)).resolves.toEqualTypeOf<number>();
  void cache.invalidate(top);
  void cache.invalidate(top, null, { again: '2s' });
  void cache.invalidate(optional, 2, { durable: true });
  // @ts-expect-error: a loader without params takes none
  void cache.get(top, 'a');
}

export async function wrongParamsAreRefused(cache: Cache): Promise<void> {
  // @ts-expect-error: params are required
  await cache.get(product);
  // @ts-expect-error: options are no params
  await cache.invalidate(product, { soft: true });
  // @ts-expect-error: a namespace has to be confirmed
  await cache.invalidateNamespace({});
  // @ts-expect-error: a number is no id
  await cache.get(product, 42);
  // @ts-expect-error: from is missing
  await cache.get(range, { to: 1 });
  // @ts-expect-error: a property too many
  await cache.get(range, { from: 1, until: 2 });
  // @ts-expect-error: getMany takes an array
  await cache.getMany(product, 'a');
  // @ts-expect-error: an array of another type
  await cache.getMany(product, [1]);
  // @ts-expect-error: params are required here too
  await cache.invalidate(product);
  // @ts-expect-error: a name is not a loader
  await cache.get('product', 'a');
}

export async function setTakesWhatGetAnswers(cache: Cache): Promise<void> {
  await cache.set(product, 'a', { id: 'a', price: 2 });
  await cache.set(maybe, 1, { id: 'a', price: 2 });
  await cache.set(maybe, 1, null);
  // @ts-expect-error: undefined means that there is no value: invalidate()
  await cache.set(maybe, 1, undefined);
  // @ts-expect-error: no price
  await cache.set(product, 'a', { id: 'a' });
  // @ts-expect-error: a property too many
  await cache.set(product, 'a', { id: 'a', price: 1, stock: 3 });
  // @ts-expect-error: a property too many
  await cache.getMany(range, [{ from: 1, until: 2 }]);
}

export function eventsAreTyped(cache: Cache): void {
  cache.on('entry:missed', (event) => {
    expectTypeOf(event.cause).toEqualTypeOf<'absent' | 'expired' | 'unreadable' | 'mismatched'>();
    // @ts-expect-error: never the value
    void event.value;
  });
  expectTypeOf(cache.on('entry:hit', () => undefined)).toEqualTypeOf<() => void>();
  // @ts-expect-error: no such event
  cache.on('entry:hits', () => undefined);
}

export function definitionsAreChecked(): void {
  const load = async (id: string): Promise<string> => id;
  // @ts-expect-error: a ttl is required
  defineLoader({ name: 'x', load });
  // @ts-expect-error: not a duration
  defineLoader({ name: 'x', ttl: '5 minutes', load });
  // @ts-expect-error: no such option
  defineLoader({ name: 'x', ttl: '5m', load, staleWhile: 1 });
  // @ts-expect-error: loadMany takes what load takes
  defineLoader({ name: 'x', ttl: '5m', load, loadMany: async (ids: readonly number[]) => ids });
}
