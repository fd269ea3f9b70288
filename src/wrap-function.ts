import { InvalidKeyError, InvalidOptionError } from './core/errors.ts';
import { type ParamsOf, toArguments, toParams } from './loaders/arguments.ts';
import {
  type AnyLoader,
  defineLoader,
  type Loader,
  type LoaderDefinition,
} from './loaders/define-loader.ts';
import { encodeKey } from './loaders/key-codec.ts';

/** Any function, whatever it takes. */
export type AnyFunction = (...args: never[]) => unknown;

export interface WrapOptions<A extends readonly unknown[], P, R>
  extends Omit<LoaderDefinition<P, R>, 'load' | 'loadMany'> {
  /** What a call's value depends on, as JSON data; by default all its arguments, which must be JSON data then. */
  readonly key?: (...args: A) => P;
  /** Gives back the arguments of what `key` answered. Without it nobody but a caller can load: no refreshes. */
  readonly args?: (params: NoInfer<P>) => readonly [...A];
}

/** What a wrapped function has besides its call. */
export interface WrappedParts<A extends readonly unknown[], P, R> {
  /** For `createWorker` and `createScheduler`, and the cache's own methods. */
  readonly loader: Loader<P, R>;
  /** Removes the entry of a call with these arguments; answers whether there was one. */
  invalidate(...args: A): Promise<boolean>;
}

/** A function that reads through a cache: of the same type, or its asynchronous twin. */
export type Wrapped<
  F extends AnyFunction,
  P = ParamsOf<Parameters<F>>,
> = (ReturnType<F> extends Promise<unknown>
  ? F
  : (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>) &
  WrappedParts<Parameters<F>, P, Awaited<ReturnType<F>>>;

/** What wrapped functions need of a cache. */
export interface WrapHost {
  addLoader(loader: AnyLoader): void;
  get(loader: AnyLoader, params: never): Promise<unknown>;
  invalidate(loader: AnyLoader, params: never): Promise<boolean>;
}

/** A call whose caller waits: loads of its key are made on its behalf. */
interface Call {
  readonly self: unknown;
  readonly args: readonly unknown[];
}

type Options = WrapOptions<never[], unknown, unknown>;

/** A function as a loader: its calls become params, and loads its calls. */
export class FunctionLoader {
  readonly loader: AnyLoader;
  readonly #fn: (...args: readonly unknown[]) => unknown;
  readonly #key: ((...args: readonly unknown[]) => unknown) | undefined;
  readonly #args: Options['args'];
  readonly #instance: (() => unknown) | null;
  /** Waiting calls by key text, where a load cannot do without what its params do not tell. */
  readonly #calls: Map<string, Set<Call>> | null;

  /** @param instance whose method to call where no caller waits; null for what is no method */
  constructor(fn: AnyFunction, options: Options, instance: (() => unknown) | null) {
    const { key, args, refresh, ...definition } = options;
    checkOptions(fn, options);
    this.#fn = fn as (...given: readonly unknown[]) => unknown;
    this.#key = key as ((...given: readonly unknown[]) => unknown) | undefined;
    this.#args = args;
    this.#instance = instance;
    const isOneWay = key !== undefined && args === undefined;
    this.#calls = isOneWay || instance !== null ? new Map() : null;
    const refreshing = isOneWay ? false : refresh;
    this.loader = defineLoader({
      ...definition,
      ...(refreshing === undefined ? {} : { refresh: refreshing }),
      load: (params: unknown, context) => this.#load(params, context.key),
    });
  }

  /** The function that reads through whatever cache `host` answers. */
  through(
    host: () => WrapHost,
  ): ((...args: readonly unknown[]) => Promise<unknown>) &
    WrappedParts<readonly unknown[], never, unknown> {
    const read = (call: Call): Promise<unknown> => this.#read(host, call);
    const wrapped = function (this: unknown, ...args: readonly unknown[]): Promise<unknown> {
      return read({ self: this, args });
    };
    const { name, length } = this.#fn;
    Object.defineProperties(wrapped, {
      name: { value: name, configurable: true },
      length: { value: length, configurable: true },
    });
    const invalidate = async (...args: readonly unknown[]): Promise<boolean> =>
      host().invalidate(this.loader, this.#params(args) as never);
    return Object.assign(wrapped, { loader: this.loader, invalidate });
  }

  async #read(host: () => WrapHost, call: Call): Promise<unknown> {
    const params = this.#params(call.args);
    if (this.#calls === null) return host().get(this.loader, params as never);
    const key = encodeKey(params);
    const waiting = this.#calls.get(key) ?? new Set();
    this.#calls.set(key, waiting.add(call));
    try {
      return await host().get(this.loader, params as never);
    } finally {
      waiting.delete(call);
      if (waiting.size === 0) this.#calls.delete(key);
    }
  }

  #params(args: readonly unknown[]): unknown {
    if (this.#key === undefined) return toParams(args);
    const params = this.#key(...args);
    // As params undefined is null: values of different calls would be taken for the same one.
    if (params !== undefined) return params;
    throw new InvalidKeyError(`key of "${this.loader.name}" must answer JSON data, not undefined`);
  }

  #load(params: unknown, key: string): unknown {
    const [call] = this.#calls?.get(key) ?? [];
    return this.#fn.apply(this.#selfFor(call), [...this.#argsFor(call, params)]);
  }

  #argsFor(call: Call | undefined, params: unknown): readonly unknown[] {
    if (this.#key === undefined) return toArguments(params);
    if (this.#args !== undefined) return this.#args(params);
    if (call !== undefined) return call.args;
    throw new Error('only a caller has the arguments: `key` is given, but no `args`');
  }

  #selfFor(call: Call | undefined): unknown {
    if (this.#instance === null) return undefined;
    const self = call?.self ?? this.#instance();
    if (self !== undefined) return self;
    throw new Error('this process has no instance to call the method of');
  }
}

function checkOptions(fn: AnyFunction, { name, key, args, refresh }: Options): void {
  const at = (field: string): string => `"${String(name)}": ${field}`;
  if (typeof fn !== 'function') throw new InvalidOptionError(at('fn'), fn, 'must be a function');
  for (const [field, value] of Object.entries({ key, args })) {
    if (value === undefined || typeof value === 'function') continue;
    throw new InvalidOptionError(at(field), value, 'must be a function');
  }
  if (args !== undefined && key === undefined) {
    throw new InvalidOptionError(at('args'), args, 'needs `key`, whose answers it turns back');
  }
  if (refresh && key !== undefined && args === undefined) {
    throw new InvalidOptionError(at('refresh'), refresh, 'needs `args` where there is a `key`');
  }
}

/** The function that reads through the cache, registered there as a loader. */
export function wrapFunction<F extends AnyFunction, P>(
  fn: F,
  options: WrapOptions<Parameters<F>, P, Awaited<ReturnType<F>>>,
  host: WrapHost,
): Wrapped<F, P> {
  const source = new FunctionLoader(fn, options as unknown as Options, null);
  host.addLoader(source.loader);
  return source.through(() => host) as unknown as Wrapped<F, P>;
}
