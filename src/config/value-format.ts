import { InvalidOptionError } from '../core/errors.ts';
import { DEFAULTS } from './defaults.ts';
import { checkName } from './rules.ts';

/** Turns values into bytes and back; both functions are synchronous. What they throw never reaches a reader. */
export interface Codec {
  /** `[A-Za-z0-9_.-]{1,64}`: stands in every entry, and only a codec of that name decodes it. */
  readonly name: string;
  encode(value: unknown): Uint8Array;
  /** The bytes are valid during the call alone: copy what is kept of them. */
  decode(bytes: Uint8Array): unknown;
}

export type BuiltInCodec = 'msgpack' | 'json';
export type CompressionAlgorithm = 'gzip' | 'brotli';

export interface CompressOptions {
  /** gzip is quicker to write, brotli is smaller. */
  readonly algorithm: CompressionAlgorithm;
  /** Values whose encoded form is longer, in bytes, are compressed. @defaultValue `1024` */
  readonly above?: number;
}

/** What a loader says about the form its values are kept in. */
export interface ValueOptions {
  readonly codec?: BuiltInCodec | Codec | undefined;
  readonly compress?: CompressionAlgorithm | CompressOptions | undefined;
}

export interface Compression {
  readonly algorithm: CompressionAlgorithm;
  readonly aboveBytes: number;
}

/** How a loader's values are written. Those of another built-in codec or compression are still read. */
export interface ValueFormat {
  readonly codec: BuiltInCodec | Codec;
  readonly compression: Compression | null;
}

/** The path of a field in an error's message. */
type Path = (field: string) => string;

/** @throws InvalidOptionError naming the field, its value and the rule */
export function resolveValueFormat({ codec, compress }: ValueOptions, at: Path): ValueFormat {
  return Object.freeze({
    codec: resolveCodec(codec, at),
    compression: compress === undefined ? null : resolveCompression(compress, at),
  });
}

function resolveCodec(codec: unknown, at: Path): BuiltInCodec | Codec {
  if (codec === undefined) return 'msgpack';
  if (isBuiltIn(codec)) return codec;
  if (codec === null || typeof codec !== 'object') {
    const rule = "must be 'msgpack', 'json' or { name, encode, decode }";
    throw new InvalidOptionError(at('codec'), codec, rule);
  }
  const custom = codec as Codec;
  const name = checkName(custom.name, at('codec.name'));
  if (isBuiltIn(name)) {
    const rule = 'is the name of a built-in codec: a custom one needs a name of its own';
    throw new InvalidOptionError(at('codec.name'), name, rule);
  }
  for (const field of ['encode', 'decode'] as const) checkSync(custom[field], at(`codec.${field}`));
  // A name that changed later would make every entry unreadable.
  return Object.freeze({
    name,
    encode: (value: unknown) => custom.encode(value),
    decode: (bytes: Uint8Array) => custom.decode(bytes),
  });
}

function isBuiltIn(value: unknown): value is BuiltInCodec {
  return value === 'msgpack' || value === 'json';
}

function checkSync(value: unknown, path: string): void {
  const kind = Object.prototype.toString.call(value);
  if (typeof value === 'function' && kind === '[object Function]') return;
  throw new InvalidOptionError(path, value, 'must be a function that is not async');
}

function resolveCompression(compress: unknown, at: Path): Compression {
  if (typeof compress === 'string') {
    const aboveBytes = DEFAULTS.compressAboveBytes;
    return { algorithm: checkAlgorithm(compress, at('compress')), aboveBytes };
  }
  if (compress === null || typeof compress !== 'object') {
    const rule = "must be 'gzip', 'brotli' or { algorithm, above }";
    throw new InvalidOptionError(at('compress'), compress, rule);
  }
  const { algorithm, above = DEFAULTS.compressAboveBytes } = compress as CompressOptions;
  if (!Number.isSafeInteger(above) || above < 0) {
    const rule = 'must be a whole number of bytes of at least 0';
    throw new InvalidOptionError(at('compress.above'), above, rule);
  }
  return { algorithm: checkAlgorithm(algorithm, at('compress.algorithm')), aboveBytes: above };
}

function checkAlgorithm(value: unknown, path: string): CompressionAlgorithm {
  if (value === 'gzip' || value === 'brotli') return value;
  throw new InvalidOptionError(path, value, "must be 'gzip' or 'brotli'");
}
