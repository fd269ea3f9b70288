import { Cancellation } from '../core/cancellation.ts';
import {
  type ErrorCode,
  EverwarmError,
  LoaderError,
  messageOf,
  printValue,
} from '../core/errors.ts';
import type { LoadReason } from '../core/events.ts';
import { NotModified, WithEtag, withEtag } from './answers.ts';
import { checkWith, SchemaMismatch } from './check-with.ts';
import type { AnyLoader } from './define-loader.ts';
import { decodeKey } from './key-codec.ts';
import type { StandardSchemaV1 } from './schema.ts';

export interface LoadCall {
  readonly reason: LoadReason;
  readonly attempt: number;
  /** Aborted when the result can no longer be used: lost lock, shutdown; and here, at loadTimeout. */
  readonly cancellation?: Cancellation;
}

/** What a loader answered for one key: a value, `undefined` for nothing there, or why it failed. */
export type Loaded =
  | { readonly value: unknown; readonly etag: string | null }
  | { readonly isNotModified: true }
  | { readonly error: LoaderError };

export interface LoadTarget {
  readonly loader: AnyLoader;
  /** The loader gets the params back from it: the same ones in every process, and nobody's own object. */
  readonly key: string;
  /** Of the stored value, if there is one and it has one. */
  readonly etag?: string | null;
}

/**
 * Calls `load` with a signal that aborts at loadTimeout or with the caller's. Never rejects, and
 * settles at the abort even if the loader ignores its signal: a late answer is dropped.
 */
export async function runLoad(target: LoadTarget, call: LoadCall): Promise<Loaded> {
  const { loader, key, etag } = target;
  try {
    const { reason, attempt, cancellation = new Cancellation() } = call;
    const { schema } = loader;
    const answer = await settled(loader, cancellation, () => {
      const given = loader.load(decodeKey(key) as never, {
        reason,
        attempt,
        key,
        etag: etag ?? undefined,
        get signal() {
          return cancellation.signal;
        },
      });
      return schema ? matching(schema, given) : given;
    });
    return toLoaded(answer, target);
  } catch (error) {
    return { error: asLoaderError(loader, key, error) };
  }
}

/** @throws TypeError for "not modified" where there is nothing that could be kept */
function toLoaded(answer: unknown, { etag }: LoadTarget): Loaded {
  if (answer instanceof WithEtag) {
    checkEtag(answer.etag);
    if (answer.value instanceof NotModified) throw new TypeError(CONTRADICTION);
    return { value: answer.value, etag: answer.etag };
  }
  if (!(answer instanceof NotModified)) return { value: answer, etag: null };
  if (etag !== undefined && etag !== null) return { isNotModified: true };
  throw new TypeError('answered notModified(), but its context had no etag');
}

const CONTRADICTION = 'answered notModified() within withEtag(): what is kept keeps its etag';
const MAX_ETAG_BYTES = 1_024;

function checkEtag(etag: unknown): void {
  if (typeof etag === 'string' && Buffer.byteLength(etag) <= MAX_ETAG_BYTES) return;
  const rule = `must be a string of at most ${MAX_ETAG_BYTES} bytes`;
  throw new TypeError(`answered an etag (${printValue(etag)}) that ${rule}`);
}

/** One call for keys of one loader: `load` of a single one, else `loadMany`. */
export async function runLoads(
  targets: readonly LoadTarget[],
  call: LoadCall,
): Promise<readonly Loaded[]> {
  const [only] = targets;
  return only && targets.length === 1 ? [await runLoad(only, call)] : runLoadMany(targets, call);
}

/** Calls `loadMany` once for all targets (of one loader): an answer per target, in their order. */
export async function runLoadMany(
  targets: readonly LoadTarget[],
  call: LoadCall,
): Promise<readonly Loaded[]> {
  const loader = targets[0]?.loader;
  const loadMany = loader?.loadMany;
  if (!loader || !loadMany) return Promise.all(targets.map((target) => runLoad(target, call)));
  const keys = targets.map((target) => target.key);
  try {
    const { reason, attempt, cancellation = new Cancellation() } = call;
    const { schema } = loader;
    const answers = await settled(loader, cancellation, async () => {
      const given = await loadMany(keys.map(decodeKey) as never[], {
        reason,
        attempt,
        keys,
        etags: targets.map((target) => target.etag ?? undefined),
        get signal() {
          return cancellation.signal;
        },
      });
      const all = allAnswers(given, keys.length);
      return schema ? eachMatching(schema, all) : all;
    });
    return answers.map((answer, at) => oneOfMany(answer, targets[at] as LoadTarget));
  } catch (error) {
    return keys.map((key) => ({ error: asLoaderError(loader, key, error) }));
  }
}

function oneOfMany(answer: unknown, target: LoadTarget): Loaded {
  const fail = (error: unknown): Loaded => ({
    error: asLoaderError(target.loader, target.key, error),
  });
  if (answer instanceof Error) return fail(answer);
  try {
    return toLoaded(answer, target);
  } catch (error) {
    return fail(error);
  }
}

/** What the schema makes of an answer. Within the load, so that a slow validator meets loadTimeout. */
async function matching(schema: StandardSchemaV1, given: unknown): Promise<unknown> {
  const answer = await given;
  const value = answer instanceof WithEtag ? answer.value : answer;
  if (value === undefined || value instanceof NotModified) return answer;
  const checked = await checkWith(schema, value);
  if ('issues' in checked) throw new SchemaMismatch(checked.issues);
  return answer instanceof WithEtag ? withEtag(checked.value, answer.etag) : checked.value;
}

/** As `matching` for each: a mismatch is an Error like one that loadMany gave, and fails its key alone. */
function eachMatching(schema: StandardSchemaV1, answers: readonly unknown[]): Promise<unknown[]> {
  return Promise.all(
    answers.map((answer) =>
      answer instanceof Error
        ? answer
        : matching(schema, answer).catch((mismatch: unknown) => mismatch),
    ),
  );
}

/** A hole of a sparse array is nothing there, as `undefined` is; a promise nobody awaited fails its key. */
function allAnswers(answers: unknown, expected: number): readonly unknown[] {
  if (Array.isArray(answers) && answers.length === expected) {
    return Array.from(answers, (answer) => (isPromise(answer) ? unawaited(answer) : answer));
  }
  const got = Array.isArray(answers) ? `${answers.length} answers` : printValue(answers);
  throw new TypeError(`loadMany must answer an array of ${expected}, in order, but gave ${got}`);
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

function unawaited(answer: PromiseLike<unknown>): TypeError {
  // What is no Promise may begin its work with `then`, as queries do.
  if (answer instanceof Promise) answer.catch(() => undefined);
  return new TypeError('loadMany answered a promise: it has to await all of them (Promise.all)');
}

function asLoaderError(loader: AnyLoader, key: string, error: unknown): LoaderError {
  const cause = error instanceof Aborted ? error.reason : error;
  const message = `loader "${loader.name}" failed for key ${key}: ${messageOf(cause)}`;
  return new LoaderError(codeOf(error), message, { cause });
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof SchemaMismatch) return 'SCHEMA_MISMATCH';
  // Only our own abort has a meaning to us: an EverwarmError of another cache is just a loader's error.
  const isOurs = error instanceof Aborted && error.reason instanceof EverwarmError;
  return isOurs ? error.reason.code : 'LOADER_FAILED';
}

/** The signal aborted before the loader settled. */
class Aborted {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** What the loader comes to, or its abort: at loadTimeout, or from outside. */
function settled<T>(
  loader: AnyLoader,
  cancellation: Cancellation,
  run: () => T | Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timeout = setTimeout(() => {
      const limit = `no answer within loadTimeout (${loader.loadTimeoutMs} ms)`;
      cancellation.abort(new EverwarmError('LOADER_TIMEOUT', limit));
    }, loader.loadTimeoutMs);
    let isAborted = false;
    // Before the signal's own listeners, by which the loader may reject with the same reason.
    cancellation.onAbort((reason) => {
      isAborted = true;
      clearTimeout(timeout);
      reject(new Aborted(reason));
    });
    if (isAborted) return;
    // A loader that throws synchronously rejects like one that rejects.
    new Promise<T>((settle) => settle(run())).then(resolve, reject).finally(() => {
      clearTimeout(timeout);
    });
  });
}
