import { isDeepStrictEqual } from 'node:util';
import { onTestFinished } from 'vitest';

const EVERY_MS = 100;

export interface ReadAll {
  get(id: string): Promise<unknown>;
  getMany(ids: readonly string[]): Promise<unknown[]>;
  /** What a read of it has to answer. */
  valueOf(id: string): unknown;
}

export interface Reading {
  readonly reads: number;
  /** Rejections, and wrong answers. */
  readonly errors: unknown[];
  readonly slowestMs: number;
}

/** Reads every key ten times a second, each by itself and all together, until stopped or the test ends. */
export function readingAll(ids: readonly string[], source: ReadAll): { stop(): Promise<Reading> } {
  const errors: unknown[] = [];
  const underWay = new Set<Promise<void>>();
  let reads = 0;
  let slowestMs = 0;
  const read = async (answer: Promise<unknown>, expected: unknown): Promise<void> => {
    const sentAtMs = performance.now();
    try {
      const value = await answer;
      if (!isDeepStrictEqual(value, expected)) errors.push(value);
    } catch (error) {
      errors.push(error);
    }
    reads++;
    slowestMs = Math.max(slowestMs, performance.now() - sentAtMs);
  };
  const start = (one: Promise<void>): void => {
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  };
  const timer = setInterval(() => {
    start(
      read(
        source.getMany(ids),
        ids.map((id) => source.valueOf(id)),
      ),
    );
    for (const id of ids) start(read(source.get(id), source.valueOf(id)));
  }, EVERY_MS);
  onTestFinished(() => clearInterval(timer));
  const stop = async (): Promise<Reading> => {
    clearInterval(timer);
    await Promise.all(underWay);
    return { reads, errors, slowestMs };
  };
  return { stop };
}
