import { expect, test } from 'vitest';
import { checkLines } from '../../../src/cli/doctor.ts';
import { printStatus } from '../../../src/cli/stats.ts';
import { styleFor } from '../../../src/cli/style.ts';
import { topLines } from '../../../src/cli/top.ts';
import type { HotKey } from '../../../src/observe/hot-keys.ts';

const plain = styleFor({ isTTY: false, hasColors: () => false });

test('colours are for terminals that show them', () => {
  expect(styleFor({ isTTY: true, hasColors: () => true })('red', 'x')).toBe(
    '\u001b[31mx\u001b[39m',
  );
  // So hasColors() answers with NO_COLOR.
  expect(styleFor({ isTTY: true, hasColors: () => false })('red', 'x')).toBe('x');
  expect(plain('red', 'x')).toBe('x');
});

const hot: HotKey = {
  key: 'sku-42',
  recentReads: 41.25,
  readsPerSecond: 1.5,
  state: 'fresh',
  remainingMs: 12_300,
  due: { atMs: 5_000, kind: 'look' },
};

test('top has a table for each loader, with the hottest keys', () => {
  const keys = [
    hot,
    { ...hot, key: 'line\nfeed', state: 'missing', remainingMs: null, due: null } as const,
    { ...hot, key: 'k'.repeat(60), due: { atMs: 500, kind: 'claim' } } as const,
  ];
  const loaders = [
    { loader: 'product', keys },
    { loader: 'price', keys: [] },
  ];

  expect(topLines({ atMs: 1_000, loaders })).toMatchInlineSnapshot(`
    [
      "product                                           recent reads  reads/s    entry  life left     next look",
      "sku-42                                                    41.3    1.500    fresh     12.3 s         4.0 s",
      "line·feed                                                 41.3    1.500  missing          -     when read",
      "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…          41.3    1.500    fresh     12.3 s  0 ms (claim)",
      "",
      "price",
      "  no key is tracked",
    ]
  `);
  const narrow = topLines({ atMs: 1_000, loaders }, { style: plain, columns: 80 });
  expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('stats say how a loader does', () => {
  expect(
    printStatus({
      loader: 'product',
      version: 2,
      atMs: 100_000,
      mode: 'active',
      pausedAtMs: 40_000,
      trackedKeys: 1_234,
      hotKeys: 56,
      failingKeys: 3,
      threshold: 8,
      load: { meanMs: 120, deviationMs: 30 },
      queueWait: null,
      backlogKeys: 7,
      lives: { used: 70, wasted: 30 },
      reads: {
        readsPerSecond: 12.34,
        memory: 0.6,
        redis: 0.35,
        stale: 0.02,
        waited: 0.025,
        failed: 0.005,
      },
      loads: { loadsPerSecond: 3.21, landedPerSecond: 2.5, late: 4, leadMs: 640 },
      origin: {
        breaker: 'open',
        untilMs: 103_000,
        pausedUntilMs: 104_000,
        inFlight: 2,
        rate: { max: 10, perMs: 1_000, nextInMs: 0 },
        isLimiting: true,
      },
      seen: { schedulerAtMs: 96_000, shadowAtMs: 99_000, workerAtMs: null },
    }),
  ).toMatchInlineSnapshot(`
    "product, version 2
      refreshing    paused for 60.0 s
      tracked keys  1,234, 56 hot
      failing keys  3
      threshold     8.0 recent reads
      load time     120 ms ± 30 ms
      queue wait    not known
      backlog       7 keys
      reads         12.3/s in the last minute, 97.0 % hits (memory 60.0 %, redis 35.0 %, stale 2.0 %), 2.5 % waited, 0.5 % failed
      loads         3.2/s in the last minute, 2.5/s refreshes landed, 640 ms before expiry, 4 after it
      lives         70 used, 30 wasted, 30.0 % wasted
      origin        breaker open for another 3.0 s, asked for a pause of another 4.0 s, 10 calls per 1.0 s, 2 calls under way, less than is wanted
      scheduler     seen 4.0 s ago
      shadow        seen 1.0 s ago
      worker        never seen"
  `);
});

test('doctor prints each check, and its fix', () => {
  const checks = [
    { name: 'queue server', ok: true, message: 'answers', fix: null },
    { name: 'clocks', ok: 'warning', message: '2 s apart', fix: 'ntpd' },
    { name: 'x', ok: false, message: 'is bad', fix: 'mend it' },
  ] as const;
  expect(checkLines(checks, plain)).toMatchInlineSnapshot(`
    [
      "ok    queue server  answers",
      "warn  clocks        2 s apart",
      "                    fix: ntpd",
      "FAIL  x             is bad",
      "                    fix: mend it",
      "",
      "1 fine, 1 warnings, 1 failed",
    ]
  `);
});
