import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumberFrom } from './options.ts';
import { burstyReads, zipfReads } from './synthetic-reads.ts';

/*
 * Writes a made-up trace for `everwarm simulate` to stdout: node dist/bench/traces.js --zipf 1.0 > trace.csv
 */

const LINES_AT_ONCE = 10_000;

const command = new Command('node dist/bench/traces.js')
  .description('write a made-up trace of reads, as CSV, the same one for the same seed')
  .option('--zipf <exponent>', 'share of the n-th key: 1/n^exponent', positive, 1)
  .option('--reads <n>', 'reads in all', wholeNumberFrom(1), 1_000_000)
  .option('--keys <n>', 'keys', wholeNumberFrom(1), 100_000)
  .option('--rate <n>', 'reads per second', positive, 500)
  .option(
    '--bursts <seconds>',
    'each key is on for so long on average, then off for 4 times as long',
    positive,
  )
  .option('--seed <n>', 'another one gives another trace', wholeNumberFrom(0), 1)
  .parse();

const { zipf, reads, keys, rate, bursts, seed } = command.opts<{
  zipf: number;
  reads: number;
  keys: number;
  rate: number;
  bursts?: number;
  seed: number;
}>();
const trace = { reads, keys, exponent: zipf, readsPerSecond: rate, seed };

let lines = 't_ms,key_id\n';
let count = 0;
for (const { tMs, key } of bursts
  ? burstyReads({ ...trace, onMs: 1_000 * bursts })
  : zipfReads(trace)) {
  lines += `${tMs},${key}\n`;
  if (++count % LINES_AT_ONCE === 0) await flush();
}
await flush();

async function flush(): Promise<void> {
  const text = lines;
  lines = '';
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value < 1e9) return value;
  throw new InvalidArgumentError('It must be a number over 0.');
}
