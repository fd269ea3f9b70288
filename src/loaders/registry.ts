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

  constructor(loaders: readonly AnyLoader[], { least = 1 }: { readonly least?: 0 | 1 } = {}) {
    if (!Array.isArray(loaders) || loaders.length < least) {
      const rule = `must be an array of ${least === 0 ? 'loaders' : 'at least one loader'}`;
      throw new InvalidOptionError('loaders', loaders, rule);
    }
    for (const [index, loader] of loaders.entries()) this.#add(loader, `loaders[${index}]`);
  }

  /** Takes in one more; answers whether it was not there yet. */
  add(loader: AnyLoader): boolean {
    if (this.#byName.get(loader?.name) === loader) return false;
    this.#add(loader, 'loader');
    return true;
  }

  #add(loader: AnyLoader, path: string): void {
    if (!isLoader(loader)) {
      throw new InvalidOptionError(path, loader, 'must come from defineLoader()');
    }
    if (this.#byName.has(loader.name)) {
      const rule = 'is the name of two loaders: names must be unique';
      throw new InvalidOptionError(`${path}.name`, loader.name, rule);
    }
    this.#byName.set(loader.name, loader);
  }

  /** The error for a loader that is not, or not in this definition, among these. */
  unknown(loader: { readonly name: string }): EverwarmError {
    if (typeof loader?.name !== 'string') {
      return new InvalidOptionError('loader', loader, 'must come from defineLoader()');
    }
    const why = this.#byName.has(loader.name)
      ? 'another definition of that name is registered'
      : `registered are: ${[...this.#byName.keys()].join(', ') || 'none'}`;
    const message = `loader "${loader.name}" is not registered (${why})`;
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
