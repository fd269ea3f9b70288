import { describe, expect, it } from 'vitest';
import {
  type DemoReport,
  describeComparison,
  formatTable,
  percentile,
  summarize,
} from '../../../examples/demo/report.ts';

const PLAIN = {
  reads: 11_875,
  waits: 2_861,
  hotReads: 7_656,
  hotWaits: 400,
  p50Ms: 0.31,
  p99Ms: 12.5,
  p999Ms: 81.25,
  originLoads: 2_400,
};
const REPORT: DemoReport = {
  plain: PLAIN,
  everwarm: { ...PLAIN, hotWaits: 100, originLoads: 2_640, refreshes: 1_000 },
};

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

  it('is the smallest value that the share does not exceed', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.999)).toBe(100);
  });

  it('is the value itself of one, and 0 of none', () => {
    expect(percentile([3], 0.5)).toBe(3);
    expect(percentile([], 0.5)).toBe(0);
  });

  it('is given to 10 µs', () => {
    expect(percentile([0.123456], 0.5)).toBe(0.12);
  });
});

describe('the report', () => {
  it('adds up the readers of a side and takes percentiles over all their reads', () => {
    const reader = { waits: 2, hotReads: 3, hotWaits: 1, waitsByMinute: [], worstLateMs: 1 };
    const readers = [
      { ...reader, latenciesMs: [9, 1, 2] },
      { ...reader, latenciesMs: [10, 3] },
    ];
    expect(summarize(readers, { loads: 4, refreshes: 0 })).toEqual({
      reads: 5,
      waits: 4,
      hotReads: 6,
      hotWaits: 2,
      p50Ms: 3,
      p99Ms: 10,
      p999Ms: 10,
      originLoads: 4,
    });
  });

  it('sets the sides beside each other', () => {
    expect(formatTable(REPORT)).toMatchInlineSnapshot(`
      "                                        plain         everwarm
      reads                                  11,875           11,875
        that waited for the origin   2,861 (24.1 %)   2,861 (24.1 %)
      reads of hot keys                       7,656            7,656
        that waited for the origin      400 (5.2 %)      100 (1.3 %)
      read latency p50                      0.31 ms          0.31 ms
                   p99                     12.50 ms         12.50 ms
                   p99.9                   81.25 ms         81.25 ms
      origin loads                            2,400            2,640
        of these refreshes                        -            1,000"
    `);
  });

  it('says in words what was gained and what it cost', () => {
    expect(describeComparison(REPORT)).toMatchInlineSnapshot(
      `"Reads of hot keys waited for the origin 400 times with the plain cache, 100 times with Everwarm (25 % of that), for 10 % more origin loads."`,
    );
  });

  it('divides by nothing when nothing was read', () => {
    const none = summarize([], { loads: 0, refreshes: 0 });
    const report = { plain: none, everwarm: { ...none, refreshes: 0 } };
    expect(formatTable(report)).not.toContain('NaN');
    expect(describeComparison(report)).toMatchInlineSnapshot(
      `"Reads of hot keys waited for the origin 0 times with the plain cache, 0 times with Everwarm, for as many origin loads."`,
    );
  });
});
