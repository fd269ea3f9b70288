import { describe, expect, test } from 'vitest';
import { plan } from '../../../src/policy/plan.ts';
import {
  COMMIT_MS,
  EXPIRES_AT_MS,
  header,
  heat,
  hot,
  LATEST_MS,
  settings,
} from '../../helpers/planning.ts';

describe('a refreshed life that no refresh will end', () => {
  const cold = { ...hot, header: { ...header, logHeat: heat(2, COMMIT_MS) } };
  const read = heat(3, LATEST_MS);

  test('is looked at once more when it is over, even if it was read', () => {
    const last = { kind: 'wait', untilMs: EXPIRES_AT_MS + 250, why: 'cold' };
    expect(plan({ ...cold, logHeat: cold.header.logHeat })).toEqual(last);
    expect(plan({ ...cold, logHeat: read })).toEqual(last);
  });

  test('was used if anybody read it, else wasted', () => {
    const over = { ...cold, nowMs: EXPIRES_AT_MS + 250 };
    const dropped = { kind: 'drop', why: 'cold' };
    expect(plan({ ...over, logHeat: read })).toEqual({ ...dropped, ended: 'used' });
    const unread = { ...over, logHeat: cold.header.logHeat };
    expect(plan(unread)).toEqual({ ...dropped, ended: 'wasted' });
  });

  test('is judged a tick before its end where nothing is left of it afterwards', () => {
    const gone = { ...cold, logHeat: read, settings: { ...settings, keptExpiredMs: 0 } };
    const atMs = EXPIRES_AT_MS - 250;
    expect(plan(gone)).toEqual({ kind: 'wait', untilMs: atMs, why: 'cold' });
    expect(plan({ ...gone, nowMs: atMs })).toMatchObject({ kind: 'drop', ended: 'used' });
  });

  test('is not judged when its heat was lost', () => {
    expect(plan({ ...cold, logHeat: null })).toEqual({ kind: 'drop', why: 'cold', ended: null });
  });
});
