import type { Dropped } from '../invalidate/dropped.ts';

/** What travels on the bus: names, never values. */
export type BusMessage =
  | { readonly kind: 'drop'; readonly from: string; readonly drops: readonly Dropped[] }
  | { readonly kind: 'wake'; readonly entryKey: string };

/** Longer ones were not sent by us. */
export const MAX_MESSAGE_CHARACTERS: number = 256 * 1_024;
/** More drops in one were not either. */
export const MAX_DROPS = 1_000;

/**
 * The texts of as few messages as tell of these drops, each short enough to be heard. This process says
 * `{"from":…,"drop":…}`, the scripts say `{"wake":…}`.
 */
export function encodeDrops(from: string, drops: readonly Dropped[]): string[] {
  const room = MAX_MESSAGE_CHARACTERS - JSON.stringify({ from, drop: [] }).length;
  const texts: string[] = [];
  let parts: string[] = [];
  let taken = 0;
  const end = (): void => {
    if (parts.length > 0) texts.push(`{"from":${JSON.stringify(from)},"drop":[${parts.join()}]}`);
    parts = [];
    taken = 0;
  };
  for (const drop of drops) {
    for (const part of encodeDrop(drop, room)) {
      if (taken + part.length >= room || parts.length === MAX_DROPS) end();
      parts.push(part);
      taken += part.length + 1;
    }
  }
  end();
  return texts;
}

/** One text, or several of fewer keys each where one would be too long. */
function encodeDrop(drop: Dropped, room: number): string[] {
  const text = JSON.stringify(drop);
  if (text.length < room || drop.kind !== 'keys') return [text];
  const withKeys = (keys: readonly string[]): string => JSON.stringify({ ...drop, keys });
  const roomForKeys = room - withKeys([]).length;
  const texts: string[] = [];
  let from = 0;
  let taken = 0;
  for (const [at, key] of drop.keys.entries()) {
    const length = JSON.stringify(key).length + 1;
    if (taken + length > roomForKeys && at > from) {
      texts.push(withKeys(drop.keys.slice(from, at)));
      from = at;
      taken = 0;
    }
    taken += length;
  }
  return [...texts, withKeys(drop.keys.slice(from))];
}

/** Null for what we cannot have sent, or what a newer version says: then nothing here is certain. */
export function parseMessage(text: string): BusMessage | null {
  if (text.length > MAX_MESSAGE_CHARACTERS) return null;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (message === null || typeof message !== 'object') return null;
  const { wake, from, drop } = message as Readonly<Record<string, unknown>>;
  if (typeof wake === 'string') return { kind: 'wake', entryKey: wake };
  if (typeof from !== 'string' || !Array.isArray(drop) || drop.length > MAX_DROPS) return null;
  return drop.every(isDropped) ? { kind: 'drop', from, drops: drop } : null;
}

function isDropped(value: unknown): value is Dropped {
  if (value === null || typeof value !== 'object') return false;
  const { kind, loader, keys, glob } = value as Readonly<Record<string, unknown>>;
  if (kind === 'namespace') return true;
  if (typeof loader !== 'string') return false;
  if (kind === 'loader') return true;
  if (kind === 'pattern') return typeof glob === 'string';
  return kind === 'keys' && Array.isArray(keys) && keys.every((key) => typeof key === 'string');
}
