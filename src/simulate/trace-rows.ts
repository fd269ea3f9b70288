import { CsvRows } from './csv-rows.ts';

/** Takes one read: its instant, its key, and its own ttl (0: it has none). */
export type TakeRead = (tMs: number, key: string, ttlMs: number) => void;

/** The library's shortest ttl. */
const MIN_TTL_MS = 100;
/** What a Date can hold. */
const LATEST_MS = 8.64e15;

/** Reads a trace: `t_ms,key_id` and whatever else, in order of time; `ttl_s` where it is asked for. */
export function traceRows(
  name: string,
  columns: { readonly ttl: 'used' | 'ignored' },
  take: TakeRead,
): CsvRows {
  const required = columns.ttl === 'used' ? ['t_ms', 'key_id', 'ttl_s'] : ['t_ms', 'key_id'];
  let lastMs = 0;
  let lastLine = 0;
  const row = ([time = '', key = '', ttl = '']: readonly string[], line: number): string | null => {
    const tMs = numberOf(time);
    if (!(tMs >= 0 && tMs <= LATEST_MS)) return `t_ms is not a time: ${short(time)}`;
    if (tMs < lastMs)
      return `t_ms runs backwards: ${short(time)} after ${lastMs} in line ${lastLine}`;
    if (key === '') return 'key_id is empty';
    const ttlMs = ttlOf(ttl);
    if (Number.isNaN(ttlMs)) return `ttl_s is not a span: ${short(ttl)}`;
    lastMs = tMs;
    lastLine = line;
    take(tMs, key, ttlMs);
    return null;
  };
  return new CsvRows({ name, required, row });
}

/** Takes the load time of one key, ms. */
export type TakeLoad = (key: string, loadMs: number) => void;

/** Reads a file of load times, `key_id` and `load_ms` or `rtt_ms_p50`; a key without one is passed over. */
export function loadRows(name: string, take: TakeLoad): CsvRows {
  const row = ([key = '', load = '', rtt = '']: readonly string[]): string | null => {
    const text = load || rtt;
    if (text === '') return null;
    const loadMs = numberOf(text);
    if (!(loadMs >= 0 && loadMs <= LATEST_MS)) return `not a load time in ms: ${short(text)}`;
    take(key, Math.max(1, loadMs));
    return null;
  };
  return new CsvRows({ name, required: ['key_id'], anyOf: ['load_ms', 'rtt_ms_p50'], row });
}

/** 0 where there is none, NaN of what is none. */
function ttlOf(text: string): number {
  if (text === '') return 0;
  const ttlMs = numberOf(text) * 1_000;
  return ttlMs >= 0 && ttlMs <= LATEST_MS ? Math.max(MIN_TTL_MS, ttlMs) : Number.NaN;
}

/** NaN also of no text. */
function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function short(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}
