/** One element of a glob; characters are Unicode code points. */
export type GlobToken =
  | { readonly kind: 'literal'; readonly character: string }
  | { readonly kind: 'any' | 'star' }
  | {
      readonly kind: 'class';
      readonly isNegated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/**
 * A glob with Redis' rules: `*` any text, `?` one character, `[a-z]` and `[^a-z]` one of a class, `\`
 * takes the next one literally. Matching takes at most the product of both lengths, whatever the glob.
 */
export class Glob {
  readonly tokens: readonly GlobToken[];

  constructor(text: string) {
    this.tokens = parse(Array.from(text));
  }

  /** Made of `*` and `?` alone, so that it narrows nothing. */
  get matchesAll(): boolean {
    const isOpen = ({ kind }: GlobToken): boolean => kind === 'star' || kind === 'any';
    return this.tokens.every(isOpen) && this.tokens.some(({ kind }) => kind === 'star');
  }

  matches(text: string): boolean {
    const characters = Array.from(text);
    const { tokens } = this;
    let at = 0;
    let token = 0;
    // Where the last star stands, and how far it reached: it is the only one worth going back to.
    let star = -1;
    let reached = 0;
    while (at < characters.length) {
      const current = tokens[token];
      if (current?.kind === 'star') {
        star = token++;
        reached = at;
      } else if (current && matchesOne(current, characters[at] ?? '')) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++reached;
      } else {
        return false;
      }
    }
    return tokens.slice(token).every(({ kind }) => kind === 'star');
  }
}

function matchesOne(token: GlobToken, character: string): boolean {
  switch (token.kind) {
    case 'literal':
      return token.character === character;
    case 'any':
      return true;
    case 'star':
      return false;
    case 'class': {
      const code = character.codePointAt(0) ?? 0;
      return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.isNegated;
    }
  }
}

function parse(characters: readonly string[]): GlobToken[] {
  const tokens: GlobToken[] = [];
  for (let at = 0; at < characters.length; ) {
    const { token, next } = parseOne(characters, at);
    // Two stars are one.
    if (token.kind !== 'star' || tokens.at(-1)?.kind !== 'star') tokens.push(token);
    at = next;
  }
  return tokens;
}

interface Parsed {
  readonly token: GlobToken;
  readonly next: number;
}

function parseOne(characters: readonly string[], at: number): Parsed {
  const character = characters[at] ?? '';
  const next = at + 1;
  if (character === '*') return { token: { kind: 'star' }, next };
  if (character === '?') return { token: { kind: 'any' }, next };
  if (character === '[') return parseClass(characters, next);
  const escaped = character === '\\' ? characters[next] : undefined;
  if (escaped === undefined) return { token: { kind: 'literal', character }, next };
  return { token: { kind: 'literal', character: escaped }, next: next + 1 };
}

/** As Redis does: a class that is never closed ends with the glob, and a range may stand backwards. */
function parseClass(characters: readonly string[], from: number): Parsed {
  const isNegated = characters[from] === '^';
  const ranges: [number, number][] = [];
  let at = isNegated ? from + 1 : from;
  while (at < characters.length && characters[at] !== ']') {
    if (characters[at] === '\\' && at + 1 < characters.length) {
      ranges.push(range(characters[at + 1], characters[at + 1]));
      at += 2;
    } else if (characters[at + 1] === '-' && at + 2 < characters.length) {
      ranges.push(range(characters[at], characters[at + 2]));
      at += 3;
    } else {
      ranges.push(range(characters[at], characters[at]));
      at++;
    }
  }
  return { token: { kind: 'class', isNegated, ranges }, next: at + 1 };
}

function range(one = '', other = ''): [number, number] {
  const codes = [one.codePointAt(0) ?? 0, other.codePointAt(0) ?? 0] as const;
  return [Math.min(...codes), Math.max(...codes)];
}
