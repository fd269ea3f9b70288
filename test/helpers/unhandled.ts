import { afterAll, beforeAll, expect } from 'vitest';

/** Fails the file that calls it when a rejection was nobody's; answers those so far. */
export function leavesNoRejections(): readonly unknown[] {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => {
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });
  return unhandled;
}
