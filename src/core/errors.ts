export type ErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_KEY'
  | 'UNKNOWN_LOADER'
  | 'UNKNOWN_WARM_UP'
  | 'LOADER_FAILED'
  | 'LOADER_TIMEOUT'
  | 'LOAD_ABORTED'
  | 'EMPTY_GUARD'
  | 'CODEC_FAILED'
  | 'SCHEMA_MISMATCH'
  | 'RATE_LIMITED'
  | 'WARM_FAILED'
  | 'ORIGIN_UNAVAILABLE'
  | 'REDIS_UNSUITABLE'
  | 'REDIS_UNAVAILABLE'
  | 'REDIS_NOT_INSTALLED'
  | 'LOADERS_FILE'
  | 'TRACE_FILE'
  | 'KEYS_FILE'
  | 'DASHBOARD_PORT'
  | 'HEALTH_PORT'
  | 'METRICS_PORT'
  | 'PROM_CLIENT_MISSING'
  | 'OPENTELEMETRY_MISSING'
  | 'CLOSED';

/** Every error Everwarm throws of its own accord: `code` is stable, `cause` is what was underneath. */
export class EverwarmError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An option that breaks its rule: the message names the option's path, the value and the rule. */
export class InvalidOptionError extends EverwarmError {
  constructor(path: string, value: unknown, rule: string) {
    super('INVALID_OPTION', `\`${path}\` (${printValue(value)}) ${rule}`);
  }
}

/** Params that are not JSON data, or whose key text is too long. */
export class InvalidKeyError extends EverwarmError {
  constructor(message: string) {
    super('INVALID_KEY', message);
  }
}

/** A loader rejected; `cause` is its own error (absent when the load ran in another process). */
export class LoaderError extends EverwarmError {}

/** A value as it may stand in a message: short, on one line, never a dump of somebody's object. */
export function printValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : describe(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const type = value.constructor ? value.constructor.name || tagOf(value) : 'null prototype';
  return `an object of type ${type}`;
}

/** Of what has no constructor with a name, as a generator. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** The message of whatever was thrown, also when it was not an Error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The message of a server that could not listen, for whoever chose its port. */
export function whyNotListening(error: unknown): string {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return isTaken
    ? 'something else listens there; stop it or choose another port'
    : messageOf(error);
}
