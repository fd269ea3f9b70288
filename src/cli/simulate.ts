import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { runMain } from '../../workers/main.ts';
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
const WASTE_BUDGETS = [0.1, 0.2, 0.5];
const THRESHOLDS = [2, 5, 8, 16];

/** `everwarm simulate`: what policies would have done with recorded reads. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('replay recorded reads against refresh policies, to choose settings')
    .argument('<file>', 'CSV, plain or gzip, with columns t_ms and key_id, in order of time')
    .requiredOption('--ttl <duration>', 'life of an entry, e.g. 60s')
    .requiredOption('--load-time <duration>', 'how long a load takes, e.g. 200ms')
    .option('--keys <file>', 'CSV of load times by key: key_id and load_ms (or rtt_ms_p50)')
    .option('--ttl-column', 'take the ttl of each read from column ttl_s, where it has one')
    .option('--waste-budget <share...>', 'more waste budgets to compare', shares, WASTE_BUDGETS)
    .option('--threshold <n...>', 'fixed thresholds to compare', thresholds, THRESHOLDS)
    .option('--html <file>', 'write a page with a chart')
    .option('--json', 'print the results as one JSON object on the last line')
    .action((file: string, flags: SimulateFlags) => runMain(() => runSimulation(file, flags)));
}

/** Reads the trace twice: for its keys, and to play it. @throws EverwarmError, InvalidOptionError */
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
  process.stdout.write(`${about}\n\n${formatTable(results)}\n`);
  if (html !== undefined) {
    try {
      await writeFile(html, formatPage(results, about));
    } catch (error) {
      const what = `the chart cannot be written to ${html}: ${messageOf(error)}`;
      throw new EverwarmError('TRACE_FILE', what, { cause: error });
    }
    process.stdout.write(`\nchart: ${html}\n`);
  }
  if (!json) return;
  process.stdout.write(`${JSON.stringify({ policies: Object.fromEntries(results) })}\n`);
}

function thresholds(text: string, previous: readonly number[]): readonly number[] {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 1 && value <= 1e6))
    throw new InvalidArgumentError('It must be a number from 1 to 1,000,000.');
  return previous === THRESHOLDS ? [value] : [...previous, value];
}

function shares(text: string, previous: readonly number[]): readonly number[] {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return previous === WASTE_BUDGETS ? [value] : [...previous, value];
}

function seconds(ms: number): string {
  return String(Math.round(ms) / 1_000);
}
