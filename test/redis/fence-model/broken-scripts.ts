import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { SCRIPTS } from '../../../src/redis/scripts.ts';

/** A script with one protection taken out: `without` is the text that makes it, `instead` what stands there now. */
export interface Broken {
  readonly script: keyof typeof SCRIPTS;
  readonly without: string;
  readonly instead: string;
}

/** Makes the broken script the one that this connection's EntryStore will run. */
export function breakScript(redis: Redis, { script, without, instead }: Broken): Redis {
  const file = script.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const path = new URL(`../../../src/redis/lua/${file}.lua`, import.meta.url);
  const source = readFileSync(path, 'utf8');
  if (source.split(without).length !== 2) throw new Error(`${file}.lua has not one "${without}"`);
  const lua = source.replace(without, () => instead);
  redis.defineCommand(script, { lua });
  return redis;
}
