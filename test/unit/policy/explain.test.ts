import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ExplainInput, explainRefresh } from '../../../src/policy/explain.ts';
import { type PlanHeader, type PlanInput, plan } from '../../../src/policy/plan.ts';
import {
  H,
  heat as heatAt,
  hot as hotPlan,
  COMMIT_MS as NOW_MS,
  TTL_MS,
  settings as usual,
  header as usualHeader,
} from '../../helpers/planning.ts';

const settings = { ...usual, spread: 0 };

const heat = (reads: number): number => heatAt(reads, NOW_MS);

const header: PlanHeader = {
  ...usualHeader,
  createdAtMs: NOW_MS - 40_200,
  expiresAtMs: NOW_MS + 20_000,
  logHeat: heat(1),
};

/** Expires in 20 s, read 41 times of late; lead 200 + 4·50 + tick 250. */
const key: PlanInput = {
  ...hotPlan,
  header,
  logHeat: heat(41),
  nowMs: NOW_MS,
  settings,
  loaderLoad: null,
};

const due = { atMs: NOW_MS + 5_000, kind: 'look' } as const;
const hot: ExplainInput = { plan: key, due, failure: null, hindrance: null };
const cold: ExplainInput = { ...hot, plan: { ...key, logHeat: heat(2.19) } };

function sentence(changes: Partial<ExplainInput>, of: ExplainInput = hot): string {
  return explainRefresh({ ...of, ...changes }).sentence;
}

describe('the sentence about a key', () => {
  test('that is hot says when it is refreshed, and why', () => {
    expect(explainRefresh(hot)).toEqual({
      verdict: 'planned',
      refreshAtMs: NOW_MS + 20_000 - 650,
      sentence: 'is refreshed in 19.4 s: 41 recent reads, threshold 8',
    });
  });

  test('whose planned time has come says so', () => {
    const plan = { ...key, header: { ...header, expiresAtMs: NOW_MS + 100 } };
    expect(sentence({ plan, due: { atMs: NOW_MS - 5, kind: 'look' } })).toBe(
      'is refreshed at the next tick: 41 recent reads, threshold 8',
    );
  });

  test('that is looked at only later is refreshed only then', () => {
    const late = { atMs: NOW_MS + 19_900, kind: 'look' } as const;
    expect(explainRefresh({ ...hot, due: late }).refreshAtMs).toBe(late.atMs);
  });

  test('that is cold says by how much, whether it is looked at or not', () => {
    const text = 'is not refreshed: 2.1 recent reads are under the threshold 8';
    expect(sentence({}, cold)).toBe(text);
    expect(sentence({ due: null }, cold)).toBe(text);
    expect(sentence({ plan: { ...cold.plan, header: null } })).toBe(text);
  });

  test('just under the threshold does not round up to it', () => {
    expect(sentence({ plan: { ...key, logHeat: heat(7.999) } })).toContain('7.9 recent reads');
  });

  test('that nobody reads any more says so', () => {
    const plan = { ...key, header: { ...header, unreadLives: 3, logHeat: heat(41) } };
    // Read on at its rate it counts as read: only at its planned time nobody has.
    const atPlannedTime = { ...plan, nowMs: header.expiresAtMs - 500 };
    expect(explainRefresh({ ...hot, due: null, plan: atPlannedTime }).verdict).toBe('unread');
  });

  test('that is not tracked says so', () => {
    expect(sentence({ plan: { ...key, logHeat: null } })).toBe(
      'is not tracked: nobody has read it of late, or its reads are not counted',
    );
  });

  test('that is hot and has no due waits for its next read', () => {
    expect(sentence({ due: null })).toBe(
      'is not refreshed: nobody looks at it before it is read again, 41 recent reads, threshold 8',
    );
  });

  test('that fails says how often, why, and when it is tried again', () => {
    const backoff = { atMs: NOW_MS + 3_200.25, kind: 'backoff' } as const;
    const failure = { attempts: 2, error: 'origin down' };
    expect(sentence({ due: backoff, failure })).toBe('waits 3.2 s: after 2 failures: origin down');
    expect(sentence({ due: backoff })).toBe('waits 3.2 s: its loader was at its limit');
  });

  test('that somebody is on says so, until the claim runs out', () => {
    const claim = { atMs: NOW_MS + 1_500.5, kind: 'claim' } as const;
    const plan = { ...key, header: { ...header, expiresAtMs: NOW_MS + 100 } };
    expect(sentence({ due: claim, plan })).toBe(
      'is refreshed now: it is claimed for another 1.5 s, 41 recent reads, threshold 8',
    );
    expect(sentence({ due: { ...claim, atMs: NOW_MS - 0.5 }, plan })).toContain('at the next tick');
  });

  test('that somebody has only looked at says what will come of it', () => {
    const claim = { atMs: NOW_MS + 1_500.5, kind: 'claim' } as const;
    expect(sentence({ due: claim })).toContain('is refreshed in 19.4 s');
    expect(sentence({ due: claim }, cold)).toContain('is not refreshed: 2.1 recent reads');
  });
});

describe('what stands against a whole loader', () => {
  test.each([
    [{ kind: 'off' } as const, 'is not refreshed: its loader has `refresh: false`'],
    [
      { kind: 'paused', sinceAtMs: NOW_MS - 90_000 } as const,
      'is not refreshed: refreshing of its loader was paused 90.0 s ago, else it would be refreshed in 19.4 s (41 recent reads, threshold 8)',
    ],
    [
      { kind: 'shadow' } as const,
      'is not refreshed: its loader is in shadow mode, else it would be refreshed in 19.4 s (41 recent reads, threshold 8)',
    ],
    [
      { kind: 'no-scheduler', seenAtMs: null } as const,
      'is not refreshed: no scheduler of its loader was ever seen, else it would be refreshed in 19.4 s (41 recent reads, threshold 8)',
    ],
  ])('comes first: %j', (hindrance, text) => {
    expect(explainRefresh({ ...hot, hindrance })).toEqual({
      verdict: hindrance.kind,
      refreshAtMs: null,
      sentence: text,
    });
  });

  test('does not hide that the key is cold', () => {
    const hindrance = { kind: 'no-scheduler', seenAtMs: NOW_MS - 60_000 } as const;
    expect(sentence({ hindrance }, cold)).toBe(
      'is not refreshed: 2.1 recent reads are under the threshold 8; besides, no scheduler of its loader was seen for 60.0 s',
    );
  });
});

test('the refresh time is that of the plan, for any key that is read on', () => {
  const inputs = fc.record({
    reads: fc.double({ min: 0.3, max: 5_000, noNaN: true }),
    leftMs: fc.integer({ min: -TTL_MS, max: TTL_MS }),
    loadMs: fc.integer({ min: 0, max: 20_000 }),
    spread: fc.double({ min: 0, max: 0.5, noNaN: true }),
    unreadLives: fc.integer({ min: 0, max: 4 }),
    invalidated: fc.boolean(),
    dueInMs: fc.integer({ min: -5_000, max: 2 * TTL_MS }),
    text: fc.string(),
  });
  fc.assert(
    fc.property(inputs, ({ reads, leftMs, loadMs, dueInMs, text, spread, ...life }) => {
      const load = { meanMs: loadMs, deviationMs: loadMs / 4 };
      const expiresAtMs = NOW_MS + leftMs;
      const of: PlanInput = {
        ...key,
        key: text,
        settings: { ...settings, spread },
        logHeat: heat(reads),
        header: { ...header, ...life, load, expiresAtMs },
      };
      const atDue = { atMs: NOW_MS + dueInMs, kind: 'look' } as const;
      const told = explainRefresh({ ...hot, plan: of, due: atDue });
      // A scheduler that looks when the key is due, and again whenever its plan says.
      let nowMs = Math.max(NOW_MS, atDue.atMs);
      for (let look = 0; look < 10; look++) {
        const logHeat = heat(reads) + (nowMs - NOW_MS) / H;
        const decision = plan({ ...of, nowMs, logHeat });
        if (decision.kind === 'wait') {
          nowMs = decision.untilMs;
          continue;
        }
        const expected = decision.kind === 'refresh' ? nowMs : null;
        expect(told.refreshAtMs).toBe(expected);
        return;
      }
      expect.unreachable('waits for ever');
    }),
    { numRuns: 500 },
  );
});
