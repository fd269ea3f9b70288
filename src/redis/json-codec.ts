import type { Codec } from '../config/value-format.ts';

const HAS_JSON: ReadonlySet<string> = new Set(['string', 'boolean', 'bigint']);

/** JSON as UTF-8. A value that JSON would turn into nothing, null or {} as a whole is refused. */
export const jsonCodec: Codec = {
  name: 'json',
  encode(value) {
    const lost = lostByJson(value);
    const text = lost === null ? JSON.stringify(value) : undefined;
    if (text !== undefined) return Buffer.from(text);
    throw new TypeError(`JSON has no ${lost ?? 'form of it'}: use msgpack or a codec of your own`);
  },
  decode(bytes) {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  },
};

/** What JSON would lose without a word. Only the value itself is looked at: to look inside costs too much. */
function lostByJson(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : String(value);
  if (value === null || HAS_JSON.has(typeof value)) return null;
  if (typeof value !== 'object') return typeof value;
  if (ArrayBuffer.isView(value)) return value.constructor.name;
  return [Map, Set, RegExp, Error].find((type) => value instanceof type)?.name ?? null;
}
