/**
 * Freezes a value and what it contains, so that a reader who changes a shared value gets a TypeError
 * instead of changing it for everybody. The contents of a Map, Set, Date or typed array cannot be frozen.
 */
export function deepFreeze(value: unknown): void {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return;
  if (ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
