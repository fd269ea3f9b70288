/**
 * Freezes a value and what it contains, so that a reader who changes a shared value gets a TypeError
 * instead of changing it for everybody. A Map, a Set, a Date and bytes can be changed all the same, though
 * not what is in the Map or Set.
 */
export function deepFreeze(value: unknown): void {
  const seen = new Set<unknown>();
  // No recursion: what a codec decodes may be as deep as a hostile writer likes.
  const left = [value];
  while (left.length > 0) {
    const part = left.pop();
    if (part === null || typeof part !== 'object' || seen.has(part)) continue;
    seen.add(part);
    if (ArrayBuffer.isView(part)) continue; // Freezing one with elements throws.
    Object.freeze(part);
    for (const inner of partsOf(part)) left.push(inner);
  }
}

function partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  return value instanceof Set ? value : Object.values(value);
}
