import { Packr } from 'msgpackr';

// moreTypes: without it typed arrays are packed as uninitialised memory. No shared structures: two
// processes would decode each other's records into wrong fields. copyBuffers: a kept view would pin
// the whole reply it came in.
const packr = new Packr({ moreTypes: true, copyBuffers: true });

/** Value to bytes; the result is a view of msgpackr's own buffer: copy what is kept. */
export function encodeValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** @throws whatever msgpackr throws on bytes it did not make; callers treat that as a miss */
export function decodeValue(payload: Uint8Array): unknown {
  return packr.unpack(payload);
}
