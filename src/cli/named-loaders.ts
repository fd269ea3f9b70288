import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { EverwarmError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { LoaderRegistry } from '../loaders/registry.ts';

/** @throws EverwarmError UNKNOWN_LOADER naming the loaders of the flags' file */
export async function loaderNamed(name: string, flags: RoleFlags): Promise<AnyLoader> {
  const { loaders } = await loadersOf(flags);
  return find(name, loaders, flags.loaders);
}

/** The loaders of these names, once each; all of the file without a name. @throws EverwarmError UNKNOWN_LOADER */
export async function loadersNamed(
  names: readonly string[],
  flags: RoleFlags,
): Promise<readonly AnyLoader[]> {
  const loaders = [...new LoaderRegistry((await loadersOf(flags)).loaders)];
  if (names.length === 0) return loaders;
  return [...new Set(names)].map((name) => find(name, loaders, flags.loaders));
}

function find(name: string, loaders: readonly AnyLoader[], file: string): AnyLoader {
  const loader = loaders.find((one) => one.name === name);
  if (loader) return loader;
  const known = loaders.map((one) => one.name).join(', ');
  const message = `loader "${name}" is not in ${file}, which has: ${known}`;
  throw new EverwarmError('UNKNOWN_LOADER', message);
}
