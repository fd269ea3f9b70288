import type { Glob } from '../core/glob.ts';

/** A server's matching may take exponentially longer with each star. */
const MOST_STARS = 8;
const SPECIAL = /[*?[\]\\^-]/g;

/**
 * A glob for SCAN that every key text which `glob` matches fits, as `spell` puts it in key names. It is wider
 * where the two differ: one character may be several bytes there, or three. Who scans matches again.
 */
export function globOfNames(glob: Glob, spell: (text: string) => string): string {
  let names = '';
  let stars = 0;
  for (const token of glob.tokens) {
    if (token.kind === 'literal') {
      names += spell(token.character).replace(SPECIAL, '\\$&');
      continue;
    }
    names += token.kind === 'star' ? '*' : '?*';
    if (++stars === MOST_STARS) return names;
  }
  return names;
}
