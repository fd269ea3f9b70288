import { describe, expect, test } from 'vitest';
import { KINDS, loadScene } from '../helpers/invalidation.ts';

const CASES = Object.keys(KINDS).flatMap((kind) => [
  { kind, soft: false },
  { kind, soft: true },
]);

describe.each(CASES)('an invalidation by $kind (soft: $soft)', ({ kind, soft }) => {
  const invalidate = KINDS[kind] as (typeof KINDS)[string];
  const removed = soft ? { value: 'old', invalidated: true } : null;

  test('keeps a load in flight from writing what it read before', async () => {
    const scene = await loadScene();
    await scene.plantExpired();

    const { answer } = await scene.read();
    expect(Number(await invalidate(scene, soft))).toBe(1);
    expect(await scene.finish(0)).toBe(false);

    expect(await scene.entry()).toEqual(removed);
    expect(await scene.finish(1)).toBe(true);
    expect(await answer).toBe('value 1');
    expect(await scene.entry()).toEqual({ value: 'value 1', invalidated: false });
  });

  test('voids a load in flight of a key that has no entry', async () => {
    const scene = await loadScene();

    const { answer } = await scene.read();
    expect(Number(await invalidate(scene, soft))).toBe(0);
    expect(await scene.finish(0)).toBe(false);

    expect(await scene.entry()).toBeNull();
    expect(await scene.finish(1)).toBe(true);
    expect(await answer).toBe('value 1');
  });

  test('lets a load that begins after it write', async () => {
    const scene = await loadScene();
    await scene.plantExpired();

    expect(Number(await invalidate(scene, soft))).toBe(1);
    expect(await scene.entry()).toEqual(removed);
    const { answer } = await scene.read();
    expect(await scene.finish(0)).toBe(true);

    expect(await answer).toBe('value 0');
    expect(await scene.entry()).toEqual({ value: 'value 0', invalidated: false });
  });

  test('takes what a load wrote just before: the next reader loads anew', async () => {
    const scene = await loadScene();

    const first = await scene.read();
    expect(await scene.finish(0)).toBe(true);
    expect(await first.answer).toBe('value 0');
    expect(Number(await invalidate(scene, soft))).toBe(1);
    expect(await scene.entry()).toEqual(soft ? { value: 'value 0', invalidated: true } : null);

    const { answer } = await scene.read();
    // A softly invalidated value serves while it is loaded anew.
    if (soft) expect(await answer).toBe('value 0');
    expect(await scene.finish(1)).toBe(true);
    if (!soft) expect(await answer).toBe('value 1');
    await expect
      .poll(() => scene.entry())
      .toEqual(expect.objectContaining({ value: 'value 1', invalidated: false }));
  });

  test('makes readers that come after it start anew, while the older load still runs', async () => {
    const scene = await loadScene();

    const old = await scene.read();
    await invalidate(scene, soft);
    const young = await scene.read();
    expect(await scene.finish(1)).toBe(true);
    expect(await young.answer).toBe('value 1');
    expect(await scene.finish(0)).toBe(false);

    expect(await old.answer).toBe('value 1');
    expect(await scene.entry()).toEqual({ value: 'value 1', invalidated: false });
  });
});
