import { tableLines } from '../../src/core/table-lines.ts';
import type { OriginCounts } from './origin.ts';
import type { ReaderResult } from './reader-loop.ts';

/** One side, as `--json` prints it. */
export interface SideReport {
  readonly reads: number;
  readonly waits: number;
  readonly hotReads: number;
  readonly hotWaits: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly originLoads: number;
}

export interface DemoReport {
  readonly plain: SideReport;
  readonly everwarm: SideReport & { readonly refreshes: number };
}

/** Reads this late, of a TTL of seconds, begin to blur the figures. */
const LATE_MS = 100;

/** What to say if reads were started so late that the figures are blurred. */
export function lateness(worstLateMs: number, speed: number): readonly string[] {
  if (worstLateMs <= LATE_MS) return [];
  const late = Math.round(worstLateMs);
  return [`Reads started up to ${late} ms late: this machine is too busy for --speed ${speed}.`];
}

/** Adds up the readers of one side. */
export function summarize(readers: readonly ReaderResult[], origin: OriginCounts): SideReport {
  const latencies = readers.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const sum = (of: (reader: ReaderResult) => number) => readers.reduce((n, r) => n + of(r), 0);
  return {
    reads: latencies.length,
    waits: sum((r) => r.waits),
    hotReads: sum((r) => r.hotReads),
    hotWaits: sum((r) => r.hotWaits),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    p999Ms: percentile(latencies, 0.999),
    originLoads: origin.loads,
  };
}

/** The smallest value that at least this share of the sorted values does not exceed, to 10 µs; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return Math.round(value * 100) / 100;
}

export function formatTable({ plain, everwarm }: DemoReport): string {
  const row = (title: string, of: (side: SideReport) => string) => [title, of(plain), of(everwarm)];
  const rows = [
    ['', 'plain', 'everwarm'],
    row('reads', (s) => count(s.reads)),
    row('  that waited for the origin', (s) => part(s.waits, s.reads)),
    row('reads of hot keys', (s) => count(s.hotReads)),
    row('  that waited for the origin', (s) => part(s.hotWaits, s.hotReads)),
    row('read latency p50', (s) => ms(s.p50Ms)),
    row('             p99', (s) => ms(s.p99Ms)),
    row('             p99.9', (s) => ms(s.p999Ms)),
    row('origin loads', (s) => count(s.originLoads)),
    ['  of these refreshes', '-', count(everwarm.refreshes)],
  ];
  return formatColumns(rows);
}

/** Rows of as many cells each, the first column to the left and the others to the right. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  return tableLines(rows, '   ').join('\n');
}

/** The comparison in one sentence: what was gained, and what it cost the origin. */
export function describeComparison({ plain, everwarm }: DemoReport): string {
  const [ours, theirs] = [everwarm.hotWaits, plain.hotWaits];
  const share = theirs === 0 ? '' : ` (${Math.round((ours / theirs) * 100)} % of that)`;
  const cost = change(everwarm.originLoads, plain.originLoads);
  return `Reads of hot keys waited for the origin ${count(theirs)} times with the plain cache, ${count(ours)} times with Everwarm${share}, for ${cost}.`;
}

function change(ours: number, theirs: number): string {
  const percent = theirs === 0 ? 0 : Math.round((ours / theirs - 1) * 100);
  if (percent === 0) return 'as many origin loads';
  return `${Math.abs(percent)} % ${percent > 0 ? 'more' : 'fewer'} origin loads`;
}

function part(some: number, all: number): string {
  const percent = all === 0 ? 0 : (some / all) * 100;
  return `${count(some)} (${percent.toFixed(1)} %)`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
