import { expect, test } from 'vitest';
import { placeLabels } from '../../../src/simulate/label-places.ts';
import { formatPage } from '../../../src/simulate/page.ts';
import { resultOf } from '../../../src/simulate/result.ts';
import { formatTable } from '../../../src/simulate/result-table.ts';
import { Score, type Tally } from '../../../src/simulate/score.ts';

const PLAIN: Tally = {
  reads: 1_000,
  waits: 300,
  hotReads: 400,
  hotWaits: 80,
  staleReads: 0,
  loads: 200,
  refreshedLives: 0,
  wastedLives: 0,
  busiestSecond: 10,
};
const ORACLE: Tally = { ...PLAIN, waits: 100, loads: 220 };
const BETTER: Tally = { ...PLAIN, waits: 150, loads: 250, refreshedLives: 60, wastedLives: 15 };
const AGAINST = { plain: PLAIN, oracle: ORACLE, seconds: 100 };
const RESULTS = new Map([
  ['plain', resultOf(PLAIN, AGAINST)],
  ['everwarm', resultOf(BETTER, AGAINST)],
]);

test('a policy is compared with plain and with the oracle', () => {
  expect(RESULTS.get('everwarm')).toEqual({
    waitPercent: 15,
    hotWaitPercent: 20,
    stalePercent: 0,
    originLoads: 250,
    extraLoadsPercent: 25,
    wastedPercent: 25,
    peakToMean: 4,
    ofOraclePercent: 75,
  });
  expect(RESULTS.get('plain')).toMatchObject({ wastedPercent: null, ofOraclePercent: 0 });
});

test('where nothing waits, nothing is avoidable', () => {
  const idle = { ...PLAIN, waits: 0, loads: 0, busiestSecond: 0 };
  expect(resultOf(idle, { plain: idle, oracle: idle, seconds: 1 })).toMatchObject({
    extraLoadsPercent: null,
    peakToMean: null,
    ofOraclePercent: null,
  });
});

test('the busiest second is found, also when loads are told late', () => {
  const score = new Score({ countFromMs: 1_000, horizonMs: 5_000, hot: new Uint8Array(1) });
  for (const atMs of [999, 1_000, 9_000, 9_999, 5_000, 5_100, 5_999]) score.addLoad(atMs);

  expect(score.tally).toMatchObject({ loads: 6, busiestSecond: 3 });
});

test('the table is aligned', () => {
  expect(formatTable(RESULTS)).toMatchInlineSnapshot(`
    "          reads that  hot reads that    stale  origin    extra       wasted  busiest second    of the oracle's
    policy        wait %          wait %  reads %   loads  loads %  refreshes %       over mean  avoidable waits %
    plain           30.0            20.0      0.0     200      0.0            -             5.0                0.0
    everwarm        15.0            20.0      0.0     250     25.0         25.0             4.0               75.0"
  `);
});

test('the page stands alone: no script, no address but a name space, both colour schemes', () => {
  const page = formatPage(RESULTS, 'a <file> & "its" reads');

  expect(page).toContain('a &lt;file> &amp; &quot;its&quot; reads');
  expect(page).not.toMatch(/<script|https?:|src=|href=|@import|url\(/);
  expect(page).toContain('prefers-color-scheme: dark');
  expect(page.match(/<circle/g)).toHaveLength(2);
  for (const name of RESULTS.keys()) expect(page).toMatch(new RegExp(`<text[^>]*>${name}</text>`));
});

test('labels of points that lie together do not cover each other', () => {
  const points = ['one', 'two', 'three', 'four'].map((text) => ({ x: 200, y: 100, text }));
  const labels = placeLabels(points, 800);

  expect(new Set(labels.map(({ x, y, anchor }) => `${x} ${y} ${anchor}`)).size).toBe(4);
});
