import { setTimeout as delay } from 'node:timers/promises';
import type { RoleFlags } from '../../workers/run-role.ts';
import { requiredSpan } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { InvalidOptionError, messageOf } from '../core/errors.ts';
import { printSpan } from '../core/print-span.ts';
import { tableLines } from '../core/table-lines.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { type HotKey, readHotKeys } from '../observe/hot-keys.ts';
import { loadersNamed } from './named-loaders.ts';
import { printable } from './printable.ts';
import { type Session, withSession } from './session.ts';
import { stopSignal } from './stop-signal.ts';
import { styleFor } from './style.ts';

export type TopFlags = RoleFlags & {
  readonly count: number;
  readonly interval: Duration;
  readonly once?: boolean;
  readonly json?: boolean;
};

/** What one look has found. */
export interface TopShown {
  readonly atMs: number;
  readonly loaders: readonly { readonly loader: string; readonly keys: readonly HotKey[] }[];
}

/** So much of a key is shown, less on a narrow terminal: its line must not wrap. */
const KEY_CHARACTERS = 48;
const LEAST_KEY_CHARACTERS = 8;
const OTHER_COLUMNS = 66;
const MOST_KEYS = 1_000;
const HEAD = ['recent reads', 'reads/s', 'entry', 'life left', 'next look'];
/** To the upper left corner; what is below the cursor is cleared after drawing: nothing flickers. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CLEAR = '\u001b[2J';

/** Shows the hottest keys of each loader: redrawn on a terminal until Ctrl-C, else once. */
export async function runTop(names: readonly string[], flags: TopFlags): Promise<void> {
  const everyMs = requiredSpan(flags.interval, '--interval', { min: 100, max: 3_600_000 });
  if (flags.count > MOST_KEYS) {
    throw new InvalidOptionError('--count', flags.count, `must be at most ${MOST_KEYS}`);
  }
  const chosen = await loadersNamed(names, flags);
  await withSession(flags, async (session) => {
    const look = (): Promise<TopShown> => lookAt(chosen, session, flags.count);
    if (process.stdout.isTTY && !flags.once && !flags.json) return redraw(look, everyMs);
    const shown = await look();
    const text = flags.json ? JSON.stringify(shown) : topLines(shown).join('\n');
    process.stdout.write(`${text}\n`);
  });
}

async function lookAt(
  loaders: readonly AnyLoader[],
  { servers: { cache, queue, clock }, keys }: Session,
  count: number,
): Promise<TopShown> {
  const found = loaders.map(async (loader) => ({
    loader: loader.name,
    keys: await readHotKeys({ cache, queue, keys, clock }, loader, count),
  }));
  return { loaders: await Promise.all(found), atMs: clock.now() };
}

/** While Redis is away it says so, and looks again. */
async function redraw(look: () => Promise<TopShown>, everyMs: number): Promise<void> {
  const signal = stopSignal();
  const style = styleFor(process.stdout);
  process.stdout.write(CLEAR);
  while (!signal.aborted) {
    // Where nobody knows its size they are 0.
    const rows = process.stdout.rows || 24;
    const columns = process.stdout.columns || 80;
    const lines = await look().then(
      (shown) => topLines(shown, { style, columns }),
      (error: unknown) => [style('red', `Redis does not answer: ${messageOf(error)}`)],
    );
    const fitting = lines.slice(0, Math.max(1, rows - 1));
    process.stdout.write(
      `${HOME}${fitting.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`,
    );
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

export interface TopLook {
  readonly style: ReturnType<typeof styleFor>;
  /** Width of the terminal. */
  readonly columns: number;
}

const PLAIN: TopLook = { style: (_, text) => text, columns: Number.POSITIVE_INFINITY };

/** The lines of one look: a table for each loader. */
export function topLines(
  { loaders, atMs }: TopShown,
  { style, columns }: TopLook = PLAIN,
): readonly string[] {
  const most = Math.min(KEY_CHARACTERS, Math.max(LEAST_KEY_CHARACTERS, columns - OTHER_COLUMNS));
  return loaders.flatMap(({ loader, keys }, index) => {
    const gap = index === 0 ? [] : [''];
    if (keys.length === 0) return [...gap, style('bold', loader), '  no key is tracked'];
    const rows = keys.map((key) => [shortened(key.key, most), ...rowOf(key, atMs)]);
    const [head = '', ...lines] = tableLines([[loader, ...HEAD], ...rows]);
    return [...gap, style('bold', head), ...lines];
  });
}

function rowOf(
  { recentReads, readsPerSecond, state, remainingMs, due }: HotKey,
  atMs: number,
): string[] {
  const look = due === null ? 'when read' : printSpan(Math.max(0, due.atMs - atMs));
  return [
    recentReads.toFixed(1),
    readsPerSecond.toFixed(3),
    state,
    remainingMs === null ? '-' : printSpan(remainingMs),
    due && due.kind !== 'look' ? `${look} (${due.kind})` : look,
  ];
}

/** Without what would leave the line: a key may hold line feeds. */
function shortened(key: string, most: number): string {
  const text = printable(key);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
