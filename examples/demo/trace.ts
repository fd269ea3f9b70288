import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export interface Read {
  /** Since the start of the trace. */
  readonly tMs: number;
  readonly keyId: number;
}

const TRACE = 'dns_wrccdc_21m';

/** All reads of the recording, in order of time. */
export function recordedReads(): readonly Read[] {
  return parseReads(traceFile(`${TRACE}.csv.gz`));
}

/** Measured time to resolve each key, in ms; a key without a measurement is absent. */
export function loadResolveTimes(): Map<number, number> {
  return parseResolveTimes(traceFile(`${TRACE}.keys.csv.gz`));
}

export function parseReads(csv: string): Read[] {
  return rows(csv, ['t_ms', 'key_id']).map(([tMs, keyId]) => ({
    tMs: Number(tMs),
    keyId: Number(keyId),
  }));
}

export function parseResolveTimes(csv: string): Map<number, number> {
  const measured = rows(csv, ['key_id', 'rtt_ms_p50']).filter(([, rttMs]) => rttMs !== '');
  return new Map(measured.map(([keyId, rttMs]) => [Number(keyId), Number(rttMs)]));
}

/** The first `seconds` of the trace. */
export function firstSeconds(reads: readonly Read[], seconds: number): Read[] {
  return reads.filter(({ tMs }) => tMs < seconds * 1_000);
}

/** Keys read at least twice per TTL on average: those a cache should never have to wait for. */
export function hotKeys(
  reads: readonly Read[],
  over: { readonly seconds: number; readonly ttlSeconds: number },
): Set<number> {
  const counts = new Map<number, number>();
  for (const { keyId } of reads) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
  const hot = [...counts].filter(([, count]) => (count * over.ttlSeconds) / over.seconds >= 2);
  return new Set(hot.map(([keyId]) => keyId));
}

/** The named columns of a CSV file without quoting, as text. */
function rows(csv: string, columns: readonly string[]): string[][] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const names = header.split(',');
  const indices = columns.map((column) => names.indexOf(column));
  const missing = columns.filter((_, i) => indices[i] === -1);
  if (missing.length > 0)
    throw new Error(`the trace has no column ${missing.join(', ')}: ${header}`);
  return lines.map((line) => {
    const cells = line.split(',');
    return indices.map((index) => cells[index] ?? '');
  });
}

function traceFile(name: string): string {
  return gunzipSync(readFileSync(join(packageRoot(), 'examples/demo/traces', name))).toString();
}

/** The compiled demo lies in dist/, the traces do not: both are found from the package's own package.json. */
function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'everwarm')
      return folder;
    if (folder === dirname(folder))
      throw new Error('the demo runs inside the everwarm package only');
  }
}
