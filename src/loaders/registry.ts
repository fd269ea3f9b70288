import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from './define-loader.ts';

/** What `createCache`, `createScheduler` and `createWorker` take besides their own options. */
export interface WithLoaders {
  /** The loaders this process knows. */
  readonly loaders: readonly AnyLoader[];
}

/** The loaders of one process, by name. */
export class LoaderRegistry {
  readonly #byName = new Map<string, AnyLoader>();

  constructor(loaders: readonly AnyLoader[]) {
    if (!Array.isArray(loaders) || loaders.length === 0) {
      throw new InvalidOptionError('loaders', loaders, 'must be an array of at least one loader');
    }
    for (const [index, loader] of loaders.entries()) this.#add(loader, index);
  }

  #add(loader: AnyLoader, index: number): void {
    if (!isLoader(loader)) {
      throw new InvalidOptionError(`loaders[${index}]`, loader, 'must come from defineLoader()');
    }
    if (this.#byName.has(loader.name)) {
      const rule = 'is the name of two loaders: names must be unique';
      throw new InvalidOptionError(`loaders[${index}].name`, loader.name, rule);
    }
    this.#byName.set(loader.name, loader);
  }

  /** The error for a loader that is not, or not in this definition, among these. */
  unknown(loader: { readonly name: string }): EverwarmError {
    const why = this.#byName.has(loader?.name)
      ? 'another definition of that name is registered'
      : `registered are: ${[...this.#byName.keys()].join(', ')}`;
    const message = `loader "${loader?.name}" is not registered (${why})`;
    return new EverwarmError('UNKNOWN_LOADER', message);
  }

  [Symbol.iterator](): IterableIterator<AnyLoader> {
    return this.#byName.values();
  }
}

/** Whether a value is a definition made by `defineLoader`, of this copy of Everwarm or another. */
export function isLoader(value: unknown): value is AnyLoader {
  if (value === null || typeof value !== 'object') return false;
  const { name, ttlMs, load } = value as Partial<AnyLoader>;
  return typeof name === 'string' && typeof ttlMs === 'number' && typeof load === 'function';
}
