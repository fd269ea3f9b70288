import type { Cache } from './cache.ts';
import { InvalidOptionError } from './core/errors.ts';
import type { AnyLoader } from './loaders/define-loader.ts';
import {
  type AnyFunction,
  FunctionLoader,
  type WrapHost,
  type WrapOptions,
} from './wrap-function.ts';

export interface CachedOptions<A extends readonly unknown[], P> extends WrapOptions<A, P, unknown> {
  /** The cache to read through, or a function that answers it, for one that is opened later. */
  readonly cache: Cache | (() => Cache);
}

/** Decorates a method that answers a promise and takes what `key` takes, if there is a `key`. */
export type CachedDecorator<A extends readonly unknown[]> = <
  F extends (...args: never[]) => Promise<unknown>,
>(
  method: F & (TakesWhat<A, F> extends true ? F : never),
  context: ClassMethodDecoratorContext,
) => F;

/** Without a `key`, or with one that takes nothing, any method will do. */
type TakesWhat<A extends readonly unknown[], F extends AnyFunction> = A extends readonly never[]
  ? true
  : ((...args: A) => unknown) extends (...args: Parameters<F>) => unknown
    ? true
    : false;

/** A decorated method and what it has besides its call. */
export type CachedMethod<F extends AnyFunction> = F & {
  readonly loader: AnyLoader;
  invalidate(...args: Parameters<F>): Promise<boolean>;
};

/**
 * A standard method decorator: calls read through the cache. One loader for all instances, so that the
 * value must depend on nothing but the arguments, or what `key` makes of them.
 *
 * @example
 * ```ts
 * class Users {
 *   @cached({ cache, name: 'user', ttl: '5m' })
 *   async byId(id: string): Promise<User> { … }
 * }
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule, when the class is defined
 */
export function cached<A extends readonly unknown[] = never[], P = unknown>({
  cache,
  ...options
}: CachedOptions<A, P>): CachedDecorator<A> {
  return <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F => {
    if (context?.kind !== 'method') {
      const rule = 'decorates methods, as a standard decorator (without experimentalDecorators)';
      throw new InvalidOptionError(`@cached "${options.name}"`, context?.kind ?? context, rule);
    }
    let latest: WeakRef<object> | null = null;
    context.addInitializer(function () {
      latest = new WeakRef(this as object);
    });
    const wrapped = options as unknown as WrapOptions<never[], unknown, unknown>;
    const source = new FunctionLoader(method, wrapped, () => latest?.deref());
    const host = (): WrapHost => {
      const opened = typeof cache === 'function' ? cache() : cache;
      opened.addLoader(source.loader);
      return opened;
    };
    if (typeof cache !== 'function') host();
    return source.through(host) as unknown as F;
  };
}

/**
 * The loader and `invalidate` of a method with `@cached`, which a decorator cannot add to its type.
 *
 * @example
 * ```ts
 * createWorker({ loaders: [cachedMethod(Users.prototype.byId).loader] });
 * ```
 * @throws InvalidOptionError for what was not decorated
 */
export function cachedMethod<F extends AnyFunction>(method: F): CachedMethod<F> {
  if (typeof method === 'function' && 'loader' in method) return method as CachedMethod<F>;
  throw new InvalidOptionError('method', method, 'must be a method with @cached');
}
