/**
 * A copy that shares nothing with the value. Not structuredClone: that makes a plain array of bytes of a
 * Buffer, and of an instance of a class an object without it, so that a reader would get another value
 * from memory than from Redis.
 *
 * @throws TypeError for what has no copy of its own kind: an instance of a class, a function
 */
export function deepCopy<T>(value: T): T {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function') throw new TypeError('a function cannot be copied');
    return value;
  }
  return copyObject(value) as T;
}

function copyObject(value: object): object {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return copyRecord(value, prototype);
  if (ArrayBuffer.isView(value)) return copyView(value);
  const copy = COPIES.get(prototype);
  if (copy) return copy(value);
  throw new TypeError(`a ${value.constructor?.name ?? 'value'} cannot be copied`);
}

function copyRecord(value: object, prototype: object | null): object {
  // Spread first: it defines `__proto__` as a property like any other.
  const copy: Record<string, unknown> = { ...value };
  for (const name of Object.keys(copy)) copy[name] = deepCopy(copy[name]);
  return prototype === null ? Object.setPrototypeOf(copy, null) : copy;
}

function copyView(view: ArrayBufferView): ArrayBufferView {
  if (view instanceof DataView) {
    const { byteOffset, byteLength } = view;
    return new DataView(view.buffer.slice(byteOffset, byteOffset + byteLength));
  }
  // Of a Buffer too, whose own `slice` would be a view of the same bytes.
  return Uint8Array.prototype.slice.call(view) as ArrayBufferView;
}

/** How to copy what has exactly this prototype. */
const COPIES: ReadonlyMap<object, (value: unknown) => object> = new Map([
  [Array.prototype, (array) => (array as unknown[]).map((part) => deepCopy(part))],
  [Set.prototype, (set) => new Set([...(set as Set<unknown>)].map((part) => deepCopy(part)))],
  [Map.prototype, (map) => new Map(deepCopy([...(map as Map<unknown, unknown>)]))],
  ...[Date, RegExp, ArrayBuffer, Error, EvalError, RangeError, ReferenceError].map(cloned),
  ...[SyntaxError, TypeError, URIError].map(cloned),
]);

function cloned({
  prototype,
}: {
  readonly prototype: object;
}): [object, (value: unknown) => object] {
  return [prototype, (value) => structuredClone(value) as object];
}
