/** A write to the origin: answers the new value, or nothing if only the origin knows it. */
export type Write<W> = () => W | Promise<W>;

/** What a write-through does to the entry. */
export interface WriteTarget {
  set(value: unknown): Promise<void>;
  invalidate(): Promise<unknown>;
}

/**
 * Writes to the origin first, then makes the entry follow. A write that failed may have happened all the
 * same, so the entry is invalidated; if that fails too, both errors are told.
 */
export async function writeThrough<W>(write: Write<W>, target: WriteTarget): Promise<W> {
  let value: W;
  try {
    value = await write();
  } catch (error) {
    try {
      await target.invalidate();
    } catch (alsoFailed) {
      const message = 'the write failed, and its entry could not be invalidated';
      throw new AggregateError([error, alsoFailed], message);
    }
    throw error;
  }
  if (value === undefined) await target.invalidate();
  else await target.set(value);
  return value;
}
