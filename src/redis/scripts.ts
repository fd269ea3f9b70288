import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** Every script with its number of keys; the name is the file's in camel case. */
export const SCRIPTS = {
  acquireLock: 2,
  renewLock: 1,
  releaseLock: 1,
  commitEntry: 2,
  putEntry: 2,
  invalidateEntry: 2,
  recordAccess: 3,
  claimDue: 3,
  settle: 2,
  rearm: 2,
  trimTracker: 2,
  wakeHottest: 2,
} as const;

export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number | Uint8Array;

/** A connection on which every script is a command. Replies are typed by the caller, per script's header. */
export interface ScriptClient {
  run(name: ScriptName, args: readonly ScriptArgument[]): Promise<unknown>;
  /** As `run`, with every bulk string of the reply as a Buffer. */
  runBuffer(name: ScriptName, args: readonly ScriptArgument[]): Promise<unknown>;
}

/** Makes every Lua file a command of this connection (EVALSHA, with EVAL after a SCRIPT FLUSH). */
export function scriptClient(redis: Redis): ScriptClient {
  for (const [name, numberOfKeys] of Object.entries(SCRIPTS)) {
    if (!(name in redis)) redis.defineCommand(name, { lua: sourceOf(name), numberOfKeys });
  }
  type Command = (...args: ScriptArgument[]) => Promise<unknown>;
  const commands = redis as unknown as Record<string, Command>;
  const call = (name: string, args: readonly ScriptArgument[]): Promise<unknown> => {
    const command = commands[name];
    if (!command) throw new TypeError(`no script "${name}"`);
    return command.apply(redis, args as ScriptArgument[]);
  };
  return {
    run: (name, args) => call(name, args),
    runBuffer: (name, args) => call(`${name}Buffer`, args),
  };
}

function sourceOf(name: string): string {
  const file = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8');
}
