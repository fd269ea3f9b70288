import { DEFAULTS } from '../config/defaults.ts';
import { count } from '../config/rules.ts';
import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import { Slots } from '../core/slots.ts';
import { UnderWay } from '../core/under-way.ts';
import { type WarmKey, WarmLoad, type WarmLoadParts } from '../load/warm-load.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { encodeKey, encodeKeys } from '../loaders/key-codec.ts';
import { isFresh } from '../policy/freshness.ts';
import { ownLifeMs } from '../policy/varying-life.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import { type KeyChunk, KeyChunks } from './key-chunks.ts';

export interface WarmOptions {
  /** No more keys are begun after its abort; the call answers once the loads that were have ended. */
  readonly signal?: AbortSignal;
  /** After each hundred keys. */
  readonly onProgress?: (result: WarmResult) => void;
  /** Loader calls at a time. @defaultValue `10` */
  readonly concurrency?: number;
}

/** How many keys were loaded, needed no load, could not be loaded. */
export interface WarmResult {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

export interface WarmerParts extends WarmLoadParts {
  readonly store: EntryStore;
}

const CHUNK = 100;
/** What is left of a life then is not worth a load. */
const SHARE_OF_LIFE = 0.5;

interface Warming {
  readonly loader: AnyLoader;
  readonly slots: Slots;
  readonly underWay: UnderWay;
  readonly onDone: (key: string) => void;
  /** After its abort no key is begun. */
  readonly end: AbortSignal;
  readonly counts: Record<keyof WarmResult, number>;
}

/** Warms keys in the process that asks for it: without a queue, and with no worker. */
export class Warmer {
  readonly #parts: WarmerParts;
  readonly #warmLoad: WarmLoad;
  readonly #closing = new AbortController();

  constructor(parts: WarmerParts) {
    this.#parts = parts;
    this.#warmLoad = new WarmLoad(parts);
  }

  /** Ends what is under way with CLOSED. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Loads those of the keys that are missing or past half of their lives.
   *
   * @throws InvalidOptionError, InvalidKeyError, what the stream of params throws, CLOSED
   */
  async warm(
    loader: AnyLoader,
    params: Iterable<unknown> | AsyncIterable<unknown>,
    options: WarmOptions & { readonly onDone: (key: string) => void },
  ): Promise<WarmResult> {
    const calls = count(options.concurrency, 'concurrency', DEFAULTS.warmConcurrency);
    const chunks = new KeyChunks(keyTexts(params));
    const counts = { done: 0, skipped: 0, failed: 0 };
    const { signal, onProgress, onDone } = options;
    checkCallbacks(options);
    const ended = new AbortController();
    const end = AbortSignal.any([this.#closing.signal, ended.signal, ...(signal ? [signal] : [])]);
    const underWay = new UnderWay();
    const warming = { loader, slots: new Slots(calls), underWay, onDone, end, counts };
    let reading: Promise<KeyChunk | null> = Promise.resolve(null);
    const next = (): Promise<KeyChunk | null> => {
      // One at a time: an iterator need not stand more.
      reading = reading.then(() => chunks.next(CHUNK, 0));
      return reading;
    };
    const lane = async (): Promise<void> => {
      for (let chunk = await next(); chunk && !end.aborted; chunk = await next()) {
        await this.#warmChunk(chunk.keys, warming);
        if (!end.aborted) onProgress?.({ ...counts });
      }
    };
    // Without loadMany two chunks keep all calls busy: one reads its headers while the other loads.
    const lanes = loader.loadMany ? calls : Math.ceil(calls / CHUNK) + 1;
    try {
      const all = Promise.all(Array.from({ length: lanes }, lane));
      await Promise.race([all, aborted(end)]);
      await Promise.race([underWay.settled(), aborted(this.#closing.signal)]);
    } finally {
      ended.abort();
      chunks.close();
    }
    if (!this.#closing.signal.aborted) return { ...counts };
    throw new EverwarmError('CLOSED', `loader "${loader.name}": the cache was closed`);
  }

  async #warmChunk(texts: readonly string[], warming: Warming): Promise<void> {
    const { keys, store } = this.#parts;
    const { loader, slots, underWay, end, counts } = warming;
    let headers: readonly (EntryHeader | null | undefined)[];
    try {
      headers = await store.headers(texts.map((key) => keys.entry(loader, key)));
    } catch (error) {
      for (const key of texts) this.#fail(key, warming, error);
      return;
    }
    const isEnough = (header: EntryHeader): boolean => this.#isEnough(header);
    const stale: WarmKey[] = [];
    for (const [at, key] of texts.entries()) {
      const header = headers[at];
      if (!header || !isEnough(header)) {
        stale.push({ key, seenCreatedAtMs: header?.createdAtMs ?? 0 });
      }
    }
    counts.skipped += texts.length - stale.length;
    const batches = loader.loadMany ? [stale] : stale.map((one) => [one]);
    const warm = async (batch: readonly WarmKey[]): Promise<void> => {
      if (!end.aborted) await underWay.run(this.#warmBatch(batch, warming));
    };
    await Promise.all(batches.map((batch) => slots.run(() => warm(batch))));
  }

  async #warmBatch(batch: readonly WarmKey[], warming: Warming): Promise<void> {
    const { loader, onDone, counts } = warming;
    const warmed = await this.#warmLoad.run(batch, {
      loader,
      isFresh: (header) => this.#isEnough(header),
      liveUntilMs: null,
      permit: { maxWaitMs: loader.loadTimeoutMs, as: 'warm' },
    });
    for (const one of warmed) {
      if (one.kind === 'postponed') {
        this.#fail(one.key, warming, one.error);
        continue;
      }
      counts[one.kind]++;
      if (one.kind === 'done') onDone(one.key);
    }
  }

  #isEnough(header: EntryHeader): boolean {
    const nowMs = this.#parts.clock.now();
    return !header.invalidated && isFresh(header, nowMs + SHARE_OF_LIFE * ownLifeMs(header));
  }

  #fail(key: string, { loader, counts }: Warming, error: unknown): void {
    counts.failed++;
    this.#parts.events.emit('warm:failed', { loader: loader.name, key, error });
  }
}

/** Of an array at once: bad params are refused before anything is loaded. */
function keyTexts(
  params: Iterable<unknown> | AsyncIterable<unknown>,
): Iterable<string> | AsyncIterable<string> {
  if (Array.isArray(params)) return encodeKeys(params);
  if (typeof params !== 'object' || params === null) throw notIterable(params);
  if (Symbol.asyncIterator in params) return encodedLater(params);
  if (Symbol.iterator in params) return encoded(params);
  throw notIterable(params);
}

function* encoded(params: Iterable<unknown>): Iterable<string> {
  for (const one of params) yield encodeKey(one);
}

async function* encodedLater(params: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const one of params) yield encodeKey(one);
}

function checkCallbacks({ signal, onProgress }: WarmOptions): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidOptionError('signal', signal, 'must be an AbortSignal');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InvalidOptionError('onProgress', onProgress, 'must be a function');
  }
}

function notIterable(params: unknown): EverwarmError {
  return new InvalidOptionError('params', params, 'must be an array or an iterable of params');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
