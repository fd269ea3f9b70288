import type { Dropped } from './dropped.ts';

/** What travels on the bus: names, never values. */
export type BusMessage =
  | { readonly kind: 'drop'; readonly from: string; readonly drops: readonly Dropped[] }
  | { readonly kind: 'wake'; readonly entryKey: string };

/** Longer ones were not sent by us. */
export const MAX_MESSAGE_BYTES: number = 1_024 * 1_024;

/** The text of the message that the scripts publish as `{"wake":…}`, or this process as `{"from":…,"drop":…}`. */
export function encodeDrops(from: string, drops: readonly Dropped[]): string {
  return JSON.stringify({ from, drop: drops });
}

/** Null for what we cannot have sent, or what a newer version says: then nothing here is certain. */
export function parseMessage(text: string): BusMessage | null {
  if (text.length > MAX_MESSAGE_BYTES) return null;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (message === null || typeof message !== 'object') return null;
  const { wake, from, drop } = message as Readonly<Record<string, unknown>>;
  if (typeof wake === 'string') return { kind: 'wake', entryKey: wake };
  if (typeof from !== 'string' || !Array.isArray(drop) || !drop.every(isDropped)) return null;
  return { kind: 'drop', from, drops: drop };
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
