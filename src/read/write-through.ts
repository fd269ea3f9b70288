import { EverwarmError } from '../core/errors.ts';

/** A write to the origin: answers the new value, or nothing if only the origin knows it. */
export type Write<W> = () => W | Promise<W>;

/** What a write-through does to the entry. */
export interface WriteTarget {
  /** Rejects with REDIS_UNAVAILABLE when the entry was invalidated instead, or that failed too. */
  set(value: unknown): Promise<void>;
  invalidate(): Promise<unknown>;
}

/**
 * Writes to the origin first, then makes the entry follow. A write that failed may have happened all the
 * same, so the entry is invalidated; so it is where the value that was written cannot be kept. If that fails too,
 * both errors are told.
 */
export async function writeThrough<W>(write: Write<W>, target: WriteTarget): Promise<W> {
  let value: W;
  try {
    value = await write();
  } catch (error) {
    await invalidateAfter(error, target, 'the write failed');
    throw error;
  }
  if (value === undefined) {
    await target.invalidate();
    return value;
  }
  try {
    await target.set(value);
  } catch (error) {
    if (!isInvalidated(error)) await invalidateAfter(error, target, 'what was written was not set');
    throw error;
  }
  return value;
}

async function invalidateAfter(error: unknown, target: WriteTarget, what: string): Promise<void> {
  try {
    await target.invalidate();
  } catch (alsoFailed) {
    const message = `${what}, and its entry could not be invalidated`;
    throw new AggregateError([error, alsoFailed], message);
  }
}

/** Or could not be, and cannot now. */
function isInvalidated(error: unknown): boolean {
  return error instanceof EverwarmError && /^(REDIS_UNAVAILABLE|CLOSED)$/.test(error.code);
}
