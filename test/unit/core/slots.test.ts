import { expect, test } from 'vitest';
import { Slots } from '../../../src/core/slots.ts';

test('runs at most so many at a time, in the order they came, and all of them', async () => {
  const slots = new Slots(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const work = async (n: number): Promise<number> => {
    order.push(n);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return n;
  };

  const numbers = Array.from({ length: 2_500 }, (_, n) => n);
  expect(await Promise.all(numbers.map((n) => slots.run(() => work(n))))).toEqual(numbers);
  expect(order).toEqual(numbers);
  expect(most).toBe(3);
});

test('a slot is free again after work that failed', async () => {
  const slots = new Slots(1);
  await expect(slots.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await slots.run(async () => 'yes')).toBe('yes');
});
