import { expect, test } from 'vitest';
import { connect } from '../helpers/redis.ts';
import { explore } from './fence-model/explore.ts';
import type { Scenario } from './fence-model/model.ts';

/*
 * As fence-model.test.ts, of invalidations that take many steps: scans, which come to an entry and its lock
 * at different times and invalidate only what they find, and tags, which know only what loads have put
 * into their index; and of a process that keeps a copy.
 */

const SCANNED: Scenario = { followUps: [['scan']], loads: 2, writes: 1, faults: 0, losses: 0 };
const TAGGED: Scenario = {
  ...SCANNED,
  loads: 1,
  writes: 2,
  followUps: [['tag']],
  tags: 'before reading',
  faults: 1,
};
const COPIED: Scenario = {
  followUps: [['invalidate', 'scan']],
  loads: 1,
  writes: 2,
  faults: 0,
  losses: 0,
  reader: { reads: 2, isCareful: true },
};

const TIMEOUT = { timeout: 120_000 };

test.for<[string, Scenario]>([
  ['a scan', SCANNED],
  ['a scan, with faults', { ...SCANNED, loads: 1, faults: 1 }],
  [
    'a scan while another application invalidates',
    { ...SCANNED, loads: 1, followUps: [['scan'], ['invalidate']] },
  ],
  [
    'a row that does not exist at first, and a scan',
    { ...SCANNED, writes: 1, isAbsentAtFirst: true },
  ],
  ['a tag', TAGGED],
  ['a tag, and a scan', { ...TAGGED, faults: 0, followUps: [['tag', 'scan']], loads: 1 }],
])('never answers what was invalidated by %s', TIMEOUT, async ([, scenario]) => {
  const found = await explore(connect(), scenario);

  expect(found.violation).toBeNull();
  expect(found.staleEntry).toBeNull();
  expect(found.schedules).toBeGreaterThan(10_000);
});

test('never keeps a copy of what was invalidated, once it was told', TIMEOUT, async () => {
  const found = await explore(connect(), COPIED);

  expect(found.violation).toBeNull();
  expect(found.staleCopy).toBeNull();
  expect(found.schedules).toBeGreaterThan(10_000);
});

test('finds the load that survives a scan of one pass', TIMEOUT, async () => {
  const scenario: Scenario = { ...SCANNED, loads: 1, writes: 1, passes: 1 };
  expect(listed((await explore(connect(), scenario)).staleEntry)).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    P writes 1 to the database
    P begins to scan
    P comes to the entry in pass 1
    A commits
    P comes to the lock in pass 1"
  `);
});

test('finds the load that a tag does not when it is put there after reading', TIMEOUT, async () => {
  const scenario: Scenario = { ...TAGGED, writes: 1, tags: 'before writing' };
  expect(listed((await explore(connect(), scenario)).staleEntry)).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    P writes 1 to the database
    P looks into the index of the tag
    A puts its key under its tag
    A commits"
  `);
});

test('finds the old copy that a fill leaves which does not listen', TIMEOUT, async () => {
  const scenario: Scenario = { ...COPIED, reader: { reads: 1, isCareful: false } };
  expect(listed((await explore(connect(), scenario)).staleCopy)).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    A commits
    P writes 1 to the database
    R reads A1=0 from the server
    P invalidates
    P tells the other processes
    R hears of an invalidation
    R keeps what it read"
  `);
});

function listed(schedule: readonly string[] | null): string {
  return schedule ? schedule.join('\n') : 'nothing is stale';
}
