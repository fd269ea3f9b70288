import { readFileSync } from 'node:fs';

const PAGE = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');

/** The rules of docs/redis.md for a user named `everwarm`, without name and password. */
export const RULES: readonly string[] = (
  /^ACL SETUSER everwarm on >\S+ (.*)$/m.exec(PAGE)?.[1] ?? ''
).split(' ');

/** What the page adds for a cluster. */
export const CLUSTER_RULES: readonly string[] = (
  /needs two more: `([^`]*)`/.exec(PAGE)?.[1] ?? ''
).split(' ');
