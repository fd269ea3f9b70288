import { expect, test } from 'vitest';
import { LoneOrigin } from '../../../src/core/lone-origin.ts';
import type { CallEnd, OriginBudget } from '../../../src/core/origin.ts';

const NONE: OriginBudget = { concurrency: null, rate: null, breaker: null, retryAfter: null };
const BREAKER = { failures: 2, of: 2, openForMs: 900 };

function open(budget: Partial<OriginBudget>, underWay: readonly string[] = []) {
  const origin = new LoneOrigin({ ...NONE, ...budget }, new Set(underWay));
  let calls = 0;
  return {
    enter: (nowMs: number, token = `${calls++}`) => origin.enter({ token, maxWaitMs: 0 }, nowMs),
    leave: (token: string, end: CallEnd, nowMs: number) =>
      origin.leave({ token, end, ageMs: 0, pauseMs: 0 }, nowMs),
    pause: (token: string, pauseMs: number) =>
      origin.leave({ token, end: 'failed', ageMs: 0, pauseMs }, 0),
  };
}

test('keeps to the calls at a time, those from before included', () => {
  const { enter, leave } = open({ concurrency: 2 }, ['before']);
  expect(enter(0, 'a')).toBe(0);
  expect(enter(0)).toMatchObject({ why: 'concurrency' });
  leave('before', 'answered', 1);
  expect(enter(1)).toBe(0);
});

test('keeps to the rate', () => {
  const { enter } = open({ rate: { max: 1, perMs: 100 } });
  expect(enter(0)).toBe(0);
  expect(enter(40)).toMatchObject({ why: 'rate', retryAfterMs: 60 });
  expect(enter(100)).toBe(0);
});

test('opens, lets one call try, and ramps up, as the fleet does', () => {
  const { enter, leave } = open({ breaker: BREAKER });
  expect(leave('x', 'failed', 0)).toBeNull();
  expect(leave('y', 'failed', 10)).toBe('opened');
  expect(enter(500)).toEqual({ why: 'breaker', retryAfterMs: 410, openMs: 490 });
  expect(enter(910, 'probe')).toBe(0);
  expect(enter(910)).toMatchObject({ why: 'breaker' });
  expect(leave('late', 'answered', 920)).toBeNull();
  expect(leave('probe', 'failed', 1_000)).toBe('opened');
  expect(enter(1_900, 'second')).toBe(0);
  expect(leave('second', 'none', 1_950)).toBeNull();
  expect(enter(1_950, 'third')).toBe(0);
  expect(leave('third', 'answered', 2_000)).toBe('closed');
  const granted = (nowMs: number): number => {
    let count = 0;
    while (count < 50 && enter(nowMs) === 0) count++;
    return count;
  };
  expect(granted(2_000)).toBe(2);
  expect(granted(2_301)).toBe(3);
  expect(granted(2_901)).toBe(50);
});

test('opens by so many failures of the last calls, whatever came between', () => {
  const { leave } = open({ breaker: { ...BREAKER, of: 3 } });
  const ends = ['failed', 'answered', 'answered', 'failed', 'answered'] as const;
  for (const end of ends) expect(leave('x', end, 0)).toBeNull();
  expect(leave('x', 'failed', 0)).toBe('opened');
});

test('honours a pause', () => {
  const { enter, pause } = open({});
  expect(pause('x', 300)).toBe('paused');
  expect(pause('y', 200)).toBeNull();
  expect(enter(100)).toMatchObject({ why: 'retry-after', retryAfterMs: 200 });
  expect(enter(300)).toBe(0);
});
