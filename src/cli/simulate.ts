import { writeFile } from 'node:fs/promises';
import { DEFAULTS } from '../config/defaults.ts';
import { LONGEST_LIFE_MS, requiredSpan } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { formatPage } from '../simulate/page.ts';
import { formatTable, grouped, type Results } from '../simulate/result-table.ts';
import { Simulation } from '../simulate/simulation.ts';
import { TraceKeys } from '../simulate/trace-keys.ts';
import { loadRows, type TakeRead, traceRows } from '../simulate/trace-rows.ts';
import { malformedText, type OnShare, readCsvFile } from './csv-file.ts';
import { progressLine } from './progress-line.ts';

export interface SimulateFlags {
  readonly ttl: Duration;
  readonly loadTime: Duration;
  readonly threshold: readonly number[];
  readonly wasteBudget: readonly number[];
  readonly keys?: string;
  readonly ttlColumn?: boolean;
  readonly json?: boolean;
  readonly html?: string;
}

const MIN_TTL_MS = 100;

/** `everwarm simulate`: what policies would have done with recorded reads. Reads the trace twice: for its keys, and to play it. @throws EverwarmError, InvalidOptionError */
export async function runSimulation(file: string, flags: SimulateFlags): Promise<void> {
  const ttlMs = requiredSpan(flags.ttl, '--ttl', { min: MIN_TTL_MS, max: LONGEST_LIFE_MS });
  const loadMs = requiredSpan(flags.loadTime, '--load-time', { min: 1, max: LONGEST_LIFE_MS });
  const keys = new TraceKeys();
  const progress = progressLine(process.stderr);
  try {
    const read = (take: TakeRead, onShare: OnShare): Promise<string | null> =>
      readTrace(file, { flags, take, onShare });
    const complaint = await read(keys.add.bind(keys), (share) => progress.show(share / 2));
    const loadTimes = await readLoadTimes(flags.keys, keys);
    const simulation = new Simulation(keys, {
      ...DEFAULTS,
      ttlMs,
      livesVary: flags.ttlColumn === true,
      loadMs,
      loadTimes,
      thresholds: flags.threshold,
      wasteBudgets: flags.wasteBudget,
    });
    await read(simulation.read.bind(simulation), (share) => progress.show((1 + share) / 2));
    progress.clear();
    if (complaint !== null) process.stderr.write(`everwarm: left out: ${complaint}\n`);
    const about = describe(keys, { ttlMs, loadMs, file });
    await print(simulation.finish(), about, flags);
  } finally {
    progress.clear();
  }
}

/** Reads the trace once; answers what was left out of it, if anything was. */
async function readTrace(
  file: string,
  {
    flags,
    take,
    onShare,
  }: { readonly flags: SimulateFlags; readonly take: TakeRead; readonly onShare: OnShare },
): Promise<string | null> {
  const rows = traceRows(file, { ttl: flags.ttlColumn ? 'used' : 'ignored' }, take);
  await readCsvFile(file, rows, onShare);
  return rows.malformed.count > 0 ? malformedText(file, rows) : null;
}

/** Load times of the trace's keys. */
async function readLoadTimes(
  file: string | undefined,
  keys: TraceKeys,
): Promise<ReadonlyMap<string, number>> {
  const loadTimes = new Map<string, number>();
  if (file === undefined) return loadTimes;
  const rows = loadRows(file, (key, loadMs) => {
    if (keys.indexOf(key) !== undefined) loadTimes.set(key, loadMs);
  });
  await readCsvFile(file, rows);
  if (rows.malformed.count > 0) {
    process.stderr.write(`everwarm: left out: ${malformedText(file, rows)}\n`);
  }
  return loadTimes;
}

function describe(
  keys: TraceKeys,
  {
    ttlMs,
    loadMs,
    file,
  }: { readonly ttlMs: number; readonly loadMs: number; readonly file: string },
): string {
  const hot = keys.hot(ttlMs).reduce((sum, one) => sum + one, 0);
  const reads = `${grouped(keys.reads)} reads of ${grouped(keys.texts.length)} keys (${grouped(hot)} hot)`;
  const span = `${seconds(keys.spanMs)} s, the first ${seconds(2 * ttlMs)} s not counted`;
  return `${file}: ${reads} in ${span}; ttl ${seconds(ttlMs)} s, load time ${seconds(loadMs)} s`;
}

async function print(
  results: Results,
  about: string,
  { html, json }: SimulateFlags,
): Promise<void> {
  if (!json) process.stdout.write(`${about}\n\n${formatTable(results)}\n`);
  if (html !== undefined) {
    try {
      await writeFile(html, formatPage(results, about));
    } catch (error) {
      const what = `the chart cannot be written to ${html}: ${messageOf(error)}`;
      throw new EverwarmError('TRACE_FILE', what, { cause: error });
    }
    if (!json) process.stdout.write(`\nchart: ${html}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ policies: Object.fromEntries(results) })}\n`);
}

function seconds(ms: number): string {
  return String(Math.round(ms) / 1_000);
}
