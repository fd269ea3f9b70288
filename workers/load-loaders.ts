import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EverwarmError, messageOf } from '../src/core/errors.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import { isLoader } from '../src/loaders/registry.ts';
import { isWarmUp, type WarmUp } from '../src/warm/warm-up.ts';

/** What a loaders file exports, by whatever names: single ones or arrays of them. */
export interface LoadersFile {
  readonly loaders: readonly AnyLoader[];
  readonly warmUps: readonly WarmUp[];
}

/**
 * The loaders and warm-ups that a file exports.
 *
 * @throws EverwarmError LOADERS_FILE when the file is missing, fails, or exports none
 */
export async function loadLoaders(file: string): Promise<LoadersFile> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new EverwarmError('LOADERS_FILE', `loaders file ${path} does not exist`);
  }
  const exported = await importFile(path);
  const values = [...new Set(Object.values(exported).flat())];
  const loaders = values.filter(isLoader);
  if (loaders.length > 0) return { loaders, warmUps: values.filter(isWarmUp) };
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
