import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EverwarmError, messageOf } from '../src/core/errors.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import { isLoader } from '../src/loaders/registry.ts';

/**
 * The loaders that a file exports, by whatever names: single ones or arrays of them.
 *
 * @throws EverwarmError LOADERS_FILE when the file is missing, fails, or exports none
 */
export async function loadLoaders(file: string): Promise<readonly AnyLoader[]> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new EverwarmError('LOADERS_FILE', `loaders file ${path} does not exist`);
  }
  const exported = await importFile(path);
  const loaders = Object.values(exported).flat().filter(isLoader);
  if (loaders.length > 0) return [...new Set(loaders)];
  const names = Object.keys(exported).join(', ') || 'nothing';
  const message = `loaders file ${path} exports no loader (it exports ${names}): export what defineLoader() returns`;
  throw new EverwarmError('LOADERS_FILE', message);
}

async function importFile(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const message = `loaders file ${path} could not be loaded: ${messageOf(cause)}`;
    throw new EverwarmError('LOADERS_FILE', message, { cause });
  }
}
