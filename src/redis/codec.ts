import { Packr } from 'msgpackr';
import type { Codec, ValueFormat } from '../config/value-format.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { jsonCodec } from './json-codec.ts';

// moreTypes: without it typed arrays are packed as uninitialised memory. No shared structures: two
// processes would decode each other's records into wrong fields. copyBuffers: a kept view would pin
// the whole reply it came in.
const packr = new Packr({ moreTypes: true, copyBuffers: true });

const msgpackCodec: Codec = { name: 'msgpack', encode: encodeValue, decode: decodeValue };

/** Value to msgpack; the result is a view of msgpackr's own buffer: copy what is kept. */
export function encodeValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** @throws whatever msgpackr throws on bytes it did not make; callers treat that as a miss */
export function decodeValue(payload: Uint8Array): unknown {
  return packr.unpack(payload);
}

/** @throws EverwarmError CODEC_FAILED; the message never holds the value */
export function encodeWith({ codec: chosen }: ValueFormat, value: unknown): Uint8Array {
  const codec = builtIn(chosen) ?? (chosen as Codec);
  let bytes: unknown;
  try {
    bytes = codec.encode(value);
  } catch (error) {
    throw new EverwarmError('CODEC_FAILED', failure(codec, value, messageOf(error)), {
      cause: error,
    });
  }
  if (bytes instanceof Uint8Array) return bytes;
  const reason = `encode must answer a Uint8Array, not ${typeOf(bytes)}`;
  throw new EverwarmError('CODEC_FAILED', failure(codec, value, reason));
}

/**
 * Decodes what the codec of that name has encoded: built-in ones always, a custom one if it is the format's.
 *
 * @throws whatever the codec throws; callers treat that as a miss
 */
export function decodeWith(
  name: string,
  payload: Uint8Array,
  { codec: chosen }: ValueFormat,
): unknown {
  if (name === 'msgpack') return decodeValue(payload);
  const codec = builtIn(name) ?? (typeof chosen === 'object' ? chosen : null);
  if (codec?.name !== name)
    throw new Error(`written by codec "${name}", which is not the loader's`);
  const value = codec.decode(payload);
  if (!(value instanceof Promise)) return value;
  value.catch(() => undefined); // Nobody else will look at it.
  throw new Error(`decode of codec "${name}" must answer the value itself, not a promise of it`);
}

function builtIn(codec: unknown): Codec | null {
  if (codec === 'msgpack') return msgpackCodec;
  return codec === 'json' ? jsonCodec : null;
}

function failure({ name }: Codec, value: unknown, reason: string): string {
  return `codec "${name}" could not encode a value (${typeOf(value)}): ${reason}`;
}

function typeOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return Array.isArray(value) ? 'array' : (value.constructor?.name ?? 'object');
}
