import { expect, test } from 'vitest';
import { connect } from '../helpers/redis.ts';
import { type Broken, breakScript } from './fence-model/broken-scripts.ts';
import { type Exploration, explore } from './fence-model/explore.ts';
import type { Scenario } from './fence-model/model.ts';

/*
 * Every order of the steps of two loaders, of applications that write the database and tell the cache,
 * and of a server and a network that fail, on the real scripts. Out of the model's reach: a `set` that
 * arrives only after the invalidate which follows its loss (both go over one connection, in order), and
 * what a failover forgets.
 */

const INVALIDATED: Scenario = {
  followUps: [['invalidate']],
  loads: 2,
  writes: 2,
  faults: 1,
  losses: 0,
};
const SET: Scenario = { ...INVALIDATED, followUps: [['set']], loads: 1, faults: 2 };
const MARKED: Scenario = {
  ...INVALIDATED,
  followUps: [['mark', 'invalidate']],
  loads: 1,
  losses: 1,
};
const LOSSES: Scenario = {
  followUps: [['invalidate', 'set']],
  loads: 1,
  writes: 1,
  faults: 1,
  losses: 2,
  entry: 'S0=0',
};
const ABSENT: Scenario = {
  ...INVALIDATED,
  followUps: [['invalidate', 'set']],
  writes: 1,
  isAbsentAtFirst: true,
};
const TWO_APPS: Scenario = {
  ...INVALIDATED,
  followUps: [['invalidate'], ['invalidate']],
  loads: 1,
};
const RACING_SETS: Scenario = { ...TWO_APPS, followUps: [['set'], ['set', 'invalidate']] };

const TIMEOUT = { timeout: 60_000 };

test.for<[string, Scenario]>([
  ['an application that invalidates', INVALIDATED],
  ['an application that sets', SET],
  ['an application that marks entries as invalidated', MARKED],
  ['lost replies and delayed commits', LOSSES],
  ['a row that does not exist at first', ABSENT],
  ['two applications that invalidate', TWO_APPS],
])(
  'never answers what was invalidated, in any order of loads, faults and %s',
  TIMEOUT,
  async ([, scenario]) => {
    const found = await explore(connect(), scenario);

    expect(found.violation).toBeNull();
    expect(found.staleWhileClean).toBe(false);
    expect(found.schedules).toBeGreaterThan(1_000_000);
  },
);

test('answers a stale value only between a database write and the invalidate that follows', async () => {
  const scenario = { ...INVALIDATED, loads: 1 };
  const { staleWhilePending, staleWhileClean } = await explore(connect(), scenario);

  expect({ staleWhilePending, staleWhileClean }).toEqual({
    staleWhilePending: true,
    staleWhileClean: false,
  });
});

test('keeps of two racing sets the one that arrives last, however old', async () => {
  expect(shortest(await explore(connect(), RACING_SETS))).toMatchInlineSnapshot(`
    "P writes 1 to the database
    Q writes 2 to the database
    Q sets 2
    P sets 1
    => an older value overwrote a newer one"
  `);
});

test('lets a set that arrives after a newer invalidate bring its older value back', async () => {
  const scenario = { ...TWO_APPS, followUps: [['set'], ['invalidate']] } as const;
  expect(shortest(await explore(connect(), scenario))).toMatchInlineSnapshot(`
    "P writes 1 to the database
    Q writes 2 to the database
    Q invalidates
    P sets 1
    => a value from before an invalidate or set is readable"
  `);
});

test('lets no load overtake the last of racing sets', TIMEOUT, async () => {
  const found = await explore(connect(), { ...RACING_SETS, hasRacingSets: true });

  expect(found.violation).toBeNull();
  expect(found.schedules).toBeGreaterThan(1_000_000);
});

const IF_NOT_OURS = 'if holder ~= token then';

test('finds the stale write when a commit does not check its token', async () => {
  const broken = { script: 'commitEntry', without: IF_NOT_OURS, instead: 'if false then' } as const;
  expect(await shortestBreach(broken, { ...INVALIDATED, onlyValues: true })).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    P writes 1 to the database
    P invalidates
    A commits
    => a value from before an invalidate or set is readable"
  `);
});

test('finds the stale write when invalidate leaves the lock', async () => {
  const broken = {
    script: 'invalidateEntry',
    without: "redis.call('DEL', KEYS[2])",
    instead: '',
  } as const;
  expect(await shortestBreach(broken, { ...INVALIDATED, onlyValues: true })).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    P writes 1 to the database
    P invalidates
    A commits
    => a value from before an invalidate or set is readable"
  `);
});

test('finds the outcome that outlives an invalidate which leaves the lock', async () => {
  const broken = {
    script: 'invalidateEntry',
    without: "redis.call('DEL', KEYS[2])",
    instead:
      "if string.sub(redis.call('GET', KEYS[2]) or '', 1, 1) ~= '=' then redis.call('DEL', KEYS[2]) end",
  } as const;
  expect(await shortestBreach(broken, ABSENT)).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    A commits
    P writes 1 to the database
    P invalidates
    A acquires after a wait
    => acquire answered an outcome from before an invalidate or set"
  `);
});

test('finds the stale write when set leaves the lock', async () => {
  const broken = {
    script: 'putEntry',
    without: "redis.call('DEL', lockKey)",
    instead: '',
  } as const;
  expect(await shortestBreach(broken, { ...SET, onlyValues: true })).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    P writes 1 to the database
    P sets 1
    A commits
    => an older value overwrote a newer one"
  `);
});

test('finds the landed commit that is refused when a commit does not know its own entry', async () => {
  const broken = {
    script: 'commitEntry',
    without: "if bytes ~= '' and current == string.sub(bytes, 1, 40) then return 1 end",
    instead: '',
  } as const;
  expect(await shortestBreach(broken, LOSSES)).toMatchInlineSnapshot(`
    "A acquires to refresh
    A reads 0
    A commits, the reply is lost
    A commits again
    => a commit that has landed was refused"
  `);
});

test('finds the invalidated value when acquire answers marked entries', async () => {
  const broken = {
    script: 'acquireLock',
    without: 'and not isInvalidated and',
    instead: 'and',
  } as const;
  expect(await shortestBreach(broken, MARKED)).toMatchInlineSnapshot(`
    "A acquires
    A reads 0
    A commits
    P writes 1 to the database
    P marks
    B acquires
    => acquire answered a value from before an invalidate or set"
  `);
});

test('finds the second holder when acquire ignores the first', async () => {
  const broken = {
    script: 'acquireLock',
    without: 'if holder ~= token then',
    instead: 'if false then',
  } as const;
  expect(await shortestBreach(broken, INVALIDATED)).toMatchInlineSnapshot(`
    "A acquires
    B acquires
    => two loaders hold the lock"
  `);
});

test('finds the second holder when release frees a lock of another', async () => {
  const broken = {
    script: 'releaseLock',
    without: 'if holder ~= token then return 0 end',
    instead: '',
  } as const;
  expect(await shortestBreach(broken, INVALIDATED)).toMatchInlineSnapshot(`
    "A acquires
    the lock expires
    B acquires
    A fails
    A acquires
    => two loaders hold the lock"
  `);
});

test('finds the wrong holder when renew extends a lock of another', async () => {
  const broken = {
    script: 'renewLock',
    without:
      "if string.match(redis.call('GET', lockKey) or '', '^[^=]*') ~= token then return 0 end",
    instead: '',
  } as const;
  expect(await shortestBreach(broken, INVALIDATED)).toMatchInlineSnapshot(`
    "A acquires
    the lock expires
    A renews
    => a lock was renewed for another than its holder"
  `);
});

async function shortestBreach(broken: Broken, scenario: Scenario): Promise<string> {
  return shortest(await explore(breakScript(connect(), broken), scenario));
}

function shortest({ violation }: Exploration): string {
  if (!violation) return 'no law was broken';
  return [...violation.schedule, `=> ${violation.law}`].join('\n');
}
