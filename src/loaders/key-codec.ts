import { InvalidKeyError, printValue } from '../core/errors.ts';
import { pathText } from '../core/path-text.ts';

const MOST_BYTES = 4096;
const MOST_LEVELS = 100;
const MOST_SHOWN = 200;

const JSON_STARTS = new Set(Array.from(' \t\n\r{["-0123456789tfn', (char) => char.charCodeAt(0)));
const JSON_ENDS = new Set(Array.from(' \t\n\r}]"', (char) => char.charCodeAt(0)));
const JSON_SCALAR =
  /^[ \t\n\r]*(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)[ \t\n\r]*$/;
const JSON_STRING_OR_CONTAINER = /^[ \t\n\r]*["[{]/;

/** One pass over params: the text so far, and where we are, for cycles and for messages. */
interface Walk {
  text: string;
  readonly path: (string | number)[];
  readonly ancestors: object[];
}

/**
 * The key text of a loader's params: canonical (equal params, equal text) and reversible
 * ({@link decodeKey}). A string stands as itself unless it could be read as JSON, then it is quoted;
 * everything else is JSON with sorted object keys, −0 as 0 and undefined properties left out. Undefined
 * params, of a loader without parameters, are null.
 *
 * @throws InvalidKeyError with path, value and rule, for what is not JSON data (undefined elsewhere, NaN,
 * Infinity, BigInt, symbols, functions, class instances, getters, hidden properties, sparse arrays,
 * cycles, over 100 levels), for strings that are not well-formed UTF-16, and for over 4 KiB of UTF-8
 */
export function encodeKey(params: unknown): string {
  if (typeof params === 'string') return encodeString(params);
  // What most keys are needs no walk; −0 is 0 as text.
  if (typeof params === 'number' && Number.isFinite(params)) return String(params);
  const walk: Walk = { text: '', path: [], ancestors: [] };
  write(walk, params === undefined ? null : params);
  requireFits(walk.text);
  return walk.text;
}

/** As `encodeKey` of each; a hole of a sparse array is `undefined`, as for any loop. */
export function encodeKeys(params: readonly unknown[]): string[] {
  return Array.from(params, (one) => encodeKey(one));
}

/**
 * The params that {@link encodeKey} made the text from.
 *
 * @throws InvalidKeyError for text that encodeKey cannot have made
 */
export function decodeKey(text: string): unknown {
  requireFits(text);
  const params: unknown = isJson(text) ? JSON.parse(text) : text;
  const canonical = encodeKey(params);
  if (canonical === text) return params;
  throw new InvalidKeyError(
    `key text ${printValue(text)} must be canonical: ${printValue(canonical)}`,
  );
}

function encodeString(params: string): string {
  requireFits(params);
  if (!params.isWellFormed()) throw invalid([], params, 'must be well-formed UTF-16');
  if (!isJson(params)) return params;
  const quoted = JSON.stringify(params);
  requireFits(quoted);
  return quoted;
}

/** Whether JSON.parse takes the text; most are told without its exception, which costs 10 µs. */
function isJson(text: string): boolean {
  if (!JSON_STARTS.has(text.charCodeAt(0))) return false;
  if (JSON_SCALAR.test(text)) return true;
  if (!JSON_STRING_OR_CONTAINER.test(text)) return false;
  if (!JSON_ENDS.has(text.charCodeAt(text.length - 1))) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function requireFits(text: string): void {
  // One UTF-16 unit is at most three bytes of UTF-8, and at least one.
  if (text.length * 3 <= MOST_BYTES) return;
  if (text.length <= MOST_BYTES && Buffer.byteLength(text) <= MOST_BYTES) return;
  const start = printValue(text.slice(0, MOST_SHOWN));
  throw new InvalidKeyError(`key text ${start} must be at most ${MOST_BYTES} bytes of UTF-8`);
}

function write(walk: Walk, value: unknown): void {
  switch (typeof value) {
    case 'string':
      writeString(walk, value);
      return;
    case 'number':
      if (!Number.isFinite(value)) throw invalid(walk.path, value, 'must be a finite number');
      append(walk, String(value));
      return;
    case 'boolean':
      append(walk, String(value));
      return;
    case 'object':
      if (value === null) append(walk, 'null');
      else writeContainer(walk, value);
      return;
    case 'undefined':
      throw invalid(walk.path, value, 'must not be undefined: only a property may be');
    default:
      throw invalid(walk.path, value, `must be JSON data, not a ${typeof value}`);
  }
}

function writeString(walk: Walk, value: string): void {
  requireFits(value);
  if (!value.isWellFormed()) throw invalid(walk.path, value, 'must be well-formed UTF-16');
  append(walk, JSON.stringify(value));
}

function writeContainer(walk: Walk, value: object): void {
  if (walk.ancestors.includes(value)) throw invalid(walk.path, value, 'must not contain itself');
  if (walk.ancestors.length >= MOST_LEVELS) {
    throw invalid(walk.path, value, `must not be nested over ${MOST_LEVELS} levels deep`);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (prototype !== (isArray ? Array.prototype : Object.prototype) && prototype !== null) {
    throw invalid(walk.path, value, 'must be JSON data, not a class instance');
  }
  walk.ancestors.push(value);
  if (isArray) writeArray(walk, value);
  else writeObject(walk, value);
  walk.ancestors.pop();
}

function writeArray(walk: Walk, array: readonly unknown[]): void {
  // So many elements cannot fit; a sparse array may have billions.
  const isLong = array.length > MOST_BYTES;
  if (!isLong && Reflect.ownKeys(array).length !== array.length + 1) {
    throw invalid(walk.path, array, 'must be an array without holes or other properties');
  }
  append(walk, '[');
  for (let index = 0; index < array.length; index++) {
    if (index > 0) append(walk, ',');
    walk.path.push(index);
    write(walk, readProperty(walk, array, index));
    walk.path.pop();
  }
  append(walk, ']');
}

function writeObject(walk: Walk, object: object): void {
  const names = Object.keys(object).sort();
  if (Reflect.ownKeys(object).length !== names.length) {
    throw invalid(walk.path, object, 'must not have symbol keys or hidden properties');
  }
  let separator = '{';
  for (const name of names) {
    walk.path.push(name);
    const value = readProperty(walk, object, name);
    if (value !== undefined) {
      append(walk, separator);
      writeString(walk, name);
      append(walk, ':');
      write(walk, value);
      separator = ',';
    }
    walk.path.pop();
  }
  append(walk, separator === '{' ? '{}' : '}');
}

/** Reads through the descriptor: no getter of the caller's runs, and `__proto__` is a name like any. */
function readProperty(walk: Walk, holder: object, name: string | number): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name);
  if (descriptor === undefined) throw invalid(walk.path, undefined, 'must not be a hole');
  if (descriptor.get !== undefined || descriptor.set !== undefined) {
    throw invalid(walk.path, undefined, 'must be a value, not a getter or setter');
  }
  return descriptor.value;
}

/** Ends the walk as soon as the text is too long, whatever is left of the params. */
function append(walk: Walk, text: string): void {
  walk.text += text;
  if (walk.text.length > MOST_BYTES) requireFits(walk.text);
}

function invalid(path: Walk['path'], value: unknown, rule: string): InvalidKeyError {
  return new InvalidKeyError(`\`${pathText('params', path)}\` (${printValue(value)}) ${rule}`);
}
