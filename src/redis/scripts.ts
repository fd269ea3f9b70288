import { readFileSync } from 'node:fs';
import { type RedisClient, sendTogether } from './redis-client.ts';

/** Every script with its number of keys, of a batched one per call; the name is the file's in camel case. */
export const SCRIPTS = {
  acquireLock: 2,
  renewLock: 1,
  releaseLock: 1,
  commitEntry: 2,
  readHeaders: 1,
  putEntry: 2,
  invalidateEntry: 2,
  markEntry: 2,
  keepUntil: 1,
  recordAccess: 4,
  claimDue: 3,
  settle: 2,
  rearm: 2,
  trimTracker: 2,
  wakeHottest: 2,
  takePermit: 2,
  lookNow: 2,
  moveThreshold: 1,
  enterOrigin: 4,
  holdLease: 2,
  leaveOrigin: 2,
  pullBackDues: 1,
  addCounts: 1,
} as const;

export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number | Uint8Array;

/** One of several calls that run in one script. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
}

/** A connection on which every script is a command. Replies are typed by the caller, per script's header. */
export interface ScriptClient {
  run(name: ScriptName, args: readonly ScriptArgument[]): Promise<unknown>;
  /** Many calls of a batched script in one, on a cluster all of one slot, with every bulk string of the replies as a Buffer. */
  runMany(name: ScriptName, calls: readonly ScriptCall[]): Promise<unknown[]>;
}

/** Makes every Lua file a command of this connection (EVALSHA, with EVAL after a SCRIPT FLUSH). */
export function scriptClient(redis: RedisClient): ScriptClient {
  for (const name of Object.keys(SCRIPTS)) {
    if (!(name in redis)) redis.defineCommand(name, { lua: sourceOf(name) });
  }
  type Command = (...args: ScriptArgument[]) => Promise<unknown>;
  const commands = redis as unknown as Record<string, Command>;
  const call = (name: string, args: readonly ScriptArgument[]): Promise<unknown> => {
    const command = commands[name];
    if (!command) throw new TypeError(`no script "${name}"`);
    sendTogether(redis, String(args[1]));
    return command.apply(redis, args as ScriptArgument[]);
  };
  return {
    run: (name, args) => call(name, [SCRIPTS[name], ...args]),
    runMany: (name, calls) => {
      // Loops: flatMap and spreads of hundreds of arguments take microseconds a call.
      const all: ScriptArgument[] = [0];
      for (const { keys } of calls) for (const key of keys) all.push(key);
      all[0] = all.length - 1;
      for (const { args } of calls) for (const arg of args) all.push(arg);
      return call(`${name}Buffer`, all) as Promise<unknown[]>;
    },
  };
}

function sourceOf(name: string): string {
  const file = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8');
}
