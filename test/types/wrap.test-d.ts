import { expectTypeOf } from 'vitest';
import {
  type Cache,
  cached,
  cachedMethod,
  defineLoader,
  type Loader,
  type StandardSchemaV1,
} from '../../src/index.ts';

/*
 * Checked by tsc and never run, as api.test-d.ts: wrapped functions, decorated methods and schemas.
 */

interface Product {
  readonly id: string;
  readonly price: number;
}

declare const productSchema: StandardSchemaV1<unknown, Product>;
/** As of a validator that turns text into a number: what it takes is another type. */
declare const numberSchema: StandardSchemaV1<string, number>;

const ttl = '5m';

export function wrappingKeepsTheType(cache: Cache): void {
  const product = async (id: string, currency?: string): Promise<Product> => ({
    id: `${id}${currency}`,
    price: 1,
  });
  const getProduct = cache.wrap(product, { name: 'product', ttl });
  expectTypeOf(getProduct).toExtend<typeof product>();
  expectTypeOf(getProduct).parameters.toEqualTypeOf<[id: string, currency?: string | undefined]>();
  expectTypeOf(getProduct('a')).toEqualTypeOf<Promise<Product>>();
  expectTypeOf(getProduct.invalidate('a', 'EUR')).toEqualTypeOf<Promise<boolean>>();
  // @ts-expect-error: an id is required
  void getProduct();
  // @ts-expect-error: a number is no id
  void getProduct(1);
  // @ts-expect-error: an argument too many
  void getProduct('a', 'EUR', 1);
  // @ts-expect-error: invalidate takes what the function takes
  void getProduct.invalidate(1);
}

export function wrappingKeepsGenerics(cache: Cache): void {
  const first = async <T>(all: readonly T[]): Promise<T | undefined> => all[0];
  const getFirst = cache.wrap(first, { name: 'first', ttl });
  expectTypeOf(getFirst([1, 2])).toEqualTypeOf<Promise<number | undefined>>();
  expectTypeOf(getFirst(['a'])).toEqualTypeOf<Promise<string | undefined>>();
}

export function wrappingMakesSynchronousFunctionsAsynchronous(cache: Cache): void {
  const area = (width: number, height: number): number => width * height;
  const getArea = cache.wrap(area, { name: 'area', ttl });
  expectTypeOf(getArea(1, 2)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(getArea).parameters.toEqualTypeOf<[width: number, height: number]>();
}

export function wrappedLoadersTakeTheParamsOfACall(cache: Cache): void {
  const none = cache.wrap(async () => 1, { name: 'none', ttl });
  const one = cache.wrap(async (id: string) => id.length, { name: 'one', ttl });
  const list = cache.wrap(async (ids: string[]) => ids.length, { name: 'list', ttl });
  const two = cache.wrap(async (id: string, n: number) => id.length + n, { name: 'two', ttl });
  expectTypeOf(none.loader).toEqualTypeOf<Loader<null, number>>();
  expectTypeOf(one.loader).toEqualTypeOf<Loader<string, number>>();
  expectTypeOf(list.loader).toEqualTypeOf<Loader<[string[]], number>>();
  expectTypeOf(two.loader).toEqualTypeOf<Loader<[id: string, n: number], number>>();
  expectTypeOf(cache.get(one.loader, 'a')).resolves.toEqualTypeOf<number>();
  // @ts-expect-error: two arguments are an array
  void cache.get(two.loader, 'a', 1);
}

export function wrappingTakesTheOptionsOfALoader(cache: Cache): void {
  const product = async (id: string): Promise<Product> => ({ id, price: 1 });
  const name = 'product';
  const keyed = cache.wrap(product, {
    name,
    ttl,
    version: 2,
    loadTimeout: '1s',
    staleIfError: 0,
    refresh: { threshold: 2 },
    schema: productSchema,
    validateOnRead: true,
    key: (id) => ({ lower: id.toLowerCase() }),
    args: ({ lower }) => [lower],
  });
  expectTypeOf(keyed.loader).toEqualTypeOf<Loader<{ lower: string }, Product>>();
  cache.wrap(product, { name, ttl, refresh: false });
  // @ts-expect-error: a ttl is required
  cache.wrap(product, { name });
  // @ts-expect-error: the function is the load
  cache.wrap(product, { name, ttl, load: product });
  // @ts-expect-error: no such option
  cache.wrap(product, { name, ttl, staleWhile: 1 });
  // @ts-expect-error: key takes what the function takes
  cache.wrap(product, { name, ttl, key: (id: number) => id });
  // @ts-expect-error: args gives what the function takes
  cache.wrap(product, { name, ttl, key: (id) => id, args: () => [1] });
  // @ts-expect-error: the schema makes something else
  cache.wrap(product, { name, ttl, schema: numberSchema });
  // @ts-expect-error: not a function
  cache.wrap('product', { name, ttl });
}

export function decoratingKeepsTheMethodsType(cache: Cache): void {
  class Shop {
    @cached({ cache, name: 'product', ttl })
    async product(id: string, currency?: string): Promise<Product> {
      return { id: `${id}${currency}`, price: 1 };
    }

    @cached({ cache: () => cache, name: 'by-user', ttl, key: (user: { id: number }) => user.id })
    async ofUser(user: { id: number }, trace: boolean): Promise<Product[]> {
      return trace && user.id ? [] : [];
    }

    @cached({ cache, name: 'top', ttl, key: () => 'all' })
    static async top(n: number): Promise<Product[]> {
      return n ? [] : [];
    }

    // @ts-expect-error: not asynchronous
    @cached({ cache, name: 'sync', ttl })
    sync(id: string): string {
      return id;
    }

    // @ts-expect-error: key takes something else
    @cached({ cache, name: 'other', ttl, key: (id: number) => id })
    async other(id: string): Promise<string> {
      return id;
    }

    // @ts-expect-error: a field is no method
    @cached({ cache, name: 'field', ttl })
    field = 1;
  }
  const shop = new Shop();
  expectTypeOf(shop.product).toEqualTypeOf<(id: string, currency?: string) => Promise<Product>>();
  expectTypeOf(shop.ofUser({ id: 1 }, true)).resolves.toEqualTypeOf<Product[]>();
  expectTypeOf(Shop.top(1)).resolves.toEqualTypeOf<Product[]>();
  const { invalidate } = cachedMethod(Shop.prototype.product);
  expectTypeOf(invalidate).parameters.toEqualTypeOf<[id: string, currency?: string | undefined]>();
  // @ts-expect-error: a cache is required
  cached({ name: 'x', ttl });
  // @ts-expect-error: a ttl is required
  cached({ cache, name: 'x' });
}

export function schemasTypeWhatIsRead(cache: Cache): void {
  const fromAnything = defineLoader({
    name: 'product',
    ttl,
    schema: productSchema,
    load: async (_id: string): Promise<unknown> => ({}),
  });
  const fromAny = defineLoader({
    name: 'product',
    ttl,
    schema: productSchema,
    load: async (_id: string) => JSON.parse(''),
  });
  const maybe = defineLoader({
    name: 'product',
    ttl,
    schema: productSchema,
    load: async (_id: string): Promise<object | undefined> => undefined,
  });
  const transformed = defineLoader({
    name: 'number',
    ttl,
    schema: numberSchema,
    validateOnRead: false,
    load: (n: number) => String(n),
  });
  expectTypeOf(cache.get(fromAnything, 'a')).resolves.toEqualTypeOf<Product>();
  expectTypeOf(cache.get(fromAny, 'a')).resolves.toEqualTypeOf<Product>();
  expectTypeOf(cache.get(maybe, 'a')).resolves.toEqualTypeOf<Product | undefined>();
  expectTypeOf(cache.get(transformed, 1)).resolves.toEqualTypeOf<number>();
  const load = async (id: string): Promise<string> => id;
  // @ts-expect-error: not a Standard Schema
  defineLoader({ name: 'x', ttl, load, schema: { parse: load } });
  // @ts-expect-error: true or false
  defineLoader({ name: 'x', ttl, load, schema: productSchema, validateOnRead: 'yes' });
}
