import { describe, expect, test } from 'vitest';
import type { LoaderStats } from '../../../src/redis/loader-stats.ts';
import { Backlog, firstWave } from '../../../src/schedule/backlog.ts';

const MINIMUM = 100;
const CLAIM_TTL_MS = 2_000;

function stats(enqueuedKeys: number, finishedKeys: number): LoaderStats {
  const judged = { used: 0, wasted: 0 };
  return { load: null, wait: null, waitAtMs: 0, enqueuedKeys, finishedKeys, judged, waste: null };
}

type Moment = readonly [atMs: number, enqueuedKeys: number, finishedKeys: number];

/** A backlog that has seen these counters, one pair a moment. */
function seen(...moments: readonly Moment[]): Backlog {
  const backlog = new Backlog();
  for (const [nowMs, enqueued, finished] of moments) {
    backlog.update(stats(enqueued, finished), { nowMs, claimTtlMs: CLAIM_TTL_MS });
  }
  return backlog;
}

describe('the room in a backlog', () => {
  test('is the minimum before anything is known', () => {
    const backlog = new Backlog();
    expect(backlog).toMatchObject({ outstanding: 0, limit: MINIMUM, room: MINIMUM });
  });

  test('shrinks by what is enqueued, and grows by what is finished', () => {
    const backlog = seen([0, 0, 0]);
    backlog.add(30);
    expect(backlog).toMatchObject({ outstanding: 30, room: 70 });

    backlog.update(stats(30, 10), { nowMs: 100, claimTtlMs: CLAIM_TTL_MS });
    expect(backlog).toMatchObject({ outstanding: 20, room: 80 });

    backlog.add(5);
    backlog.add(5);
    expect(backlog).toMatchObject({ outstanding: 30, room: 70 });
  });

  test('counts what other schedulers enqueued', () => {
    expect(seen([0, 500, 430])).toMatchObject({ outstanding: 70, room: 30 });
  });

  test('is never negative', () => {
    expect(seen([0, 5_000, 0])).toMatchObject({ outstanding: 5_000, limit: MINIMUM, room: 0 });
  });

  test('is not enlarged by more finished than enqueued: counters are lost now and then', () => {
    expect(seen([0, 10, 50])).toMatchObject({ outstanding: 0, room: MINIMUM });
  });

  test('does not count its own twice once the counters tell of it', () => {
    const backlog = seen([0, 0, 0]);
    backlog.add(40);
    backlog.update(stats(40, 0), { nowMs: 50, claimTtlMs: CLAIM_TTL_MS });
    expect(backlog.outstanding).toBe(40);
  });
});

describe('the limit of a backlog', () => {
  test('is what landed within half a claim', () => {
    expect(seen([0, 0, 0], [1_000, 400, 300])).toMatchObject({ limit: 300, room: 200 });
    expect(seen([0, 0, 0], [500, 400, 300], [1_500, 900, 800]).limit).toBe(500);
  });

  test('forgets what landed before that', () => {
    const moments: readonly Moment[] = [
      [0, 0, 0],
      [500, 1_000, 1_000],
      [1_000, 2_000, 2_000],
      [2_000, 2_000, 2_000],
      [3_000, 2_000, 2_000],
    ];
    const limits = moments.map((_, at) => seen(...moments.slice(0, at + 1)).limit);
    expect(limits).toEqual([MINIMUM, 1_000, 2_000, MINIMUM, MINIMUM]);
  });

  test('starts anew when the counters do: the queue server was wiped', () => {
    expect(seen([0, 9_000, 9_000], [500, 20, 10])).toMatchObject({
      outstanding: 10,
      limit: MINIMUM,
      room: MINIMUM - 10,
    });
  });
});

describe('the first wave', () => {
  const wave = (loadMs: number | null): number => firstWave({ loadMs, claimTtlMs: CLAIM_TTL_MS });

  test('is half of what one worker lands within half a claim', () => {
    expect([200, 100, 50].map(wave)).toEqual([125, 250, 500]);
  });

  test('is the minimum for slow loaders, and while nothing is known', () => {
    expect([null, 250, 10_000].map(wave)).toEqual([MINIMUM, MINIMUM, MINIMUM]);
  });

  test('is at most 2,000 keys, however fast the loader', () => {
    expect([12, 1, 0].map(wave)).toEqual([2_000, 2_000, 2_000]);
  });
});
