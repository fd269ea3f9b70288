import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EverwarmError, messageOf } from '../src/core/errors.ts';
import { settlesWithin } from '../src/core/lifecycle.ts';
import { printSpan } from '../src/core/print-span.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import { isLoader } from '../src/loaders/registry.ts';
import { isWarmUp, type WarmUp } from '../src/warm/warm-up.ts';

/** Connections that it awaits may take their time. */
const LOAD_MS = 60_000;

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
    const message = `loaders file ${path} does not exist (see --loaders, EVERWARM_LOADERS)`;
    throw new EverwarmError('LOADERS_FILE', message);
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
    return await inTime(import(pathToFileURL(path).href) as Promise<Record<string, unknown>>);
  } catch (cause) {
    const why = typeScriptProblem(cause) ?? messageOf(cause);
    const message = `loaders file ${path} could not be loaded: ${why}`;
    throw new EverwarmError('LOADERS_FILE', message, { cause });
  }
}

/** Its limit keeps the process alive, as nothing else may: it would end without a word. */
async function inTime<T>(imported: Promise<T>): Promise<T> {
  if (await settlesWithin(imported, LOAD_MS)) return imported;
  const what = `not loaded within ${printSpan(LOAD_MS)}`;
  throw new Error(`${what}: something that it awaits at its top level does not come`);
}

/** What is wrong with TypeScript that this Node does not run, and what to do; null: something else is wrong. */
function typeScriptProblem(error: unknown): string | null {
  const { code, message } = error as NodeJS.ErrnoException;
  const tsx = "or start with NODE_OPTIONS='--import tsx'";
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /"\.[cm]?tsx?"/.test(message)) {
    const file = / for (.*)$/.exec(message)?.[1] ?? 'a file that it imports';
    return `${file} is TypeScript, which Node ${process.version} does not run: compile it, use Node >= 22.18, ${tsx}`;
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${message}: Node only strips types; compile it, ${tsx}`;
  }
  return null;
}
