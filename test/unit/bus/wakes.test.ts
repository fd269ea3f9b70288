import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Wakes } from '../../../src/bus/wakes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Names of the waits that have ended, in order. */
function waiting(wakes: Wakes) {
  const ended: string[] = [];
  const wait = (name: string, key: string, ms = 1_000): void => {
    const one = wakes.listen(key);
    void one.wait(ms).then(() => {
      ended.push(name);
      one.close();
    });
  };
  const settle = async (): Promise<string[]> => {
    await vi.advanceTimersByTimeAsync(0);
    return ended;
  };
  return { wait, settle };
}

describe('who waits', () => {
  test('goes on when the key is woken, all at once', async () => {
    const wakes = new Wakes();
    const { wait, settle } = waiting(wakes);
    for (const name of ['one', 'two']) wait(name, 'a');
    wait('other', 'b');

    expect(await settle()).toEqual([]);
    wakes.wake('a');
    expect(await settle()).toEqual(['one', 'two']);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('goes on after its time', async () => {
    const wakes = new Wakes();
    const { wait, settle } = waiting(wakes);
    wait('short', 'a', 10);
    wait('long', 'a', 20);

    await vi.advanceTimersByTimeAsync(10);
    expect(await settle()).toEqual(['short']);
    await vi.advanceTimersByTimeAsync(10);
    expect(await settle()).toEqual(['short', 'long']);
  });

  test('is not woken by what came before it', async () => {
    const wakes = new Wakes();
    const { wait, settle } = waiting(wakes);
    wakes.wake('a');
    wait('late', 'a');
    expect(await settle()).toEqual([]);
  });

  test('does not wait when it was woken while it asked', async () => {
    const wakes = new Wakes();
    const one = wakes.listen('a');
    one.reset();
    wakes.wake('a');
    await one.wait(1_000_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waits, though it was woken before it asked', async () => {
    const wakes = new Wakes();
    const one = wakes.listen('a');
    wakes.wake('a');
    one.reset();
    let isOver = false;
    void one.wait(1_000).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
  });

  test('may wait again and again', async () => {
    const wakes = new Wakes();
    const one = wakes.listen('a');
    for (let times = 0; times < 3; times++) {
      one.reset();
      const over = one.wait(1_000_000);
      wakes.wake('a');
      await over;
    }
    one.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is woken with every key like that', async () => {
    const wakes = new Wakes();
    const { wait, settle } = waiting(wakes);
    for (const key of ['x1', 'x2', 'y']) wait(key, key);
    wakes.wakeWhere((key) => key.startsWith('x'));
    expect(await settle()).toEqual(['x1', 'x2']);
  });
});
