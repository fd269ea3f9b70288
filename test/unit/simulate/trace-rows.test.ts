import { describe, expect, test } from 'vitest';
import type { CsvRows } from '../../../src/simulate/csv-rows.ts';
import { loadRows, traceRows } from '../../../src/simulate/trace-rows.ts';

type Read = readonly [tMs: number, key: string, ttlMs: number];

function readAll(text: string, ttl: 'used' | 'ignored' = 'ignored') {
  const reads: Read[] = [];
  const rows = traceRows('trace.csv', { ttl }, (...read) => reads.push(read));
  rows.push(text);
  rows.end();
  return { reads, malformed: rows.malformed, rows: rows.rows };
}

describe('a trace', () => {
  test('is read by the names of its columns, in any order, whatever else there is', () => {
    const { reads, malformed } = readAll('key_id,size,t_ms\nuser:1,17,0\n42,,12.5\n');

    expect(reads).toEqual([
      [0, 'user:1', 0],
      [12.5, '42', 0],
    ]);
    expect(malformed.count).toBe(0);
  });

  test('may have quotes, blank lines, a byte order mark and line ends of Windows', () => {
    const { reads } = readAll('\uFEFF"t_ms","key_id"\r\n0,"a,""b"""\r\n\r\n1,c');

    expect(reads).toEqual([
      [0, 'a,"b"', 0],
      [1, 'c', 0],
    ]);
  });

  test('may come in any pieces', () => {
    const text = 't_ms,key_id\n0,abc\n10,d\n';
    const reads: Read[] = [];
    const rows = traceRows('trace.csv', { ttl: 'ignored' }, (...read) => reads.push(read));
    for (const letter of text) rows.push(letter);
    rows.end();

    expect(reads).toEqual([
      [0, 'abc', 0],
      [10, 'd', 0],
    ]);
  });

  test('has the ttl of a read in seconds, at least 100 ms, where it is asked for', () => {
    const text = 't_ms,key_id,ttl_s\n0,a,2.5\n1,a,\n2,a,0\n3,a,-1\n4,a,x\n';

    expect(readAll(text, 'used').reads.map(([, , ttlMs]) => ttlMs)).toEqual([2_500, 0, 100]);
    expect(readAll(text, 'used').malformed.count).toBe(2);
    expect(readAll(text).reads).toHaveLength(5);
  });

  test.for([
    ['-1,a', 't_ms is not a time: "-1"'],
    [',a', 't_ms is not a time: ""'],
    ['soon,a', 't_ms is not a time: "soon"'],
    ['1e300,a', 't_ms is not a time: "1e300"'],
    ['9,a', 't_ms runs backwards: "9" after 10 in line 2'],
    ['11,', 'key_id is empty'],
    ['11', '1 columns, and the header has 2'],
    ['11,a,b', '3 columns, and the header has 2'],
    ['11,"a', 'a quote that does not end'],
  ])('passes %j over, and says why', ([row = '', reason]) => {
    const { reads, malformed, rows } = readAll(`t_ms,key_id\n10,a\n${row}\n12,a\n`);

    expect(malformed).toEqual({ count: 1, first: [{ line: 3, reason }] });
    expect(rows).toBe(3);
    expect(reads.map(([tMs]) => tMs)).toEqual([10, 12]);
  });

  test('names the first five rows that are malformed, and counts all', () => {
    const { malformed } = readAll(`t_ms,key_id\n${'x,a\n'.repeat(9)}`);

    expect(malformed.count).toBe(9);
    expect(malformed.first.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
  });

  test.for([
    ['', 'trace.csv is empty'],
    ['\n', 'trace.csv is empty, or begins with an empty line'],
    ['t_ms,key_id\n', 'trace.csv has a header and no rows'],
    ['t_ms,key\n0,a\n', 'trace.csv has no column key_id in its first line, "t_ms,key"'],
    ['0,17\n', 'trace.csv has no column t_ms, key_id in its first line, "0,17"'],
    ['x'.repeat(1_000_001), 'trace.csv is not CSV text: line 1 does not end'],
  ])('is refused where it is %j', ([text = '', message = '']) => {
    expect(() => readAll(text)).toThrow(message);
  });

  test('is refused without the column of ttls that is asked for', () => {
    expect(() => readAll('t_ms,key_id\n0,a\n', 'used')).toThrow('has no column ttl_s');
  });
});

describe('a file of load times', () => {
  function loads(text: string): { known: Map<string, number>; rows: CsvRows } {
    const known = new Map<string, number>();
    const rows = loadRows('keys.csv', (key, loadMs) => known.set(key, loadMs));
    rows.push(text);
    rows.end();
    return { known, rows };
  }

  test('names them load_ms or rtt_ms_p50, at least 1 ms; some keys have none', () => {
    expect([...loads('key_id,load_ms\na,20\nb,\nc,0.2\n').known]).toEqual([
      ['a', 20],
      ['c', 1],
    ]);
    expect([...loads('key_id,reads,rtt_ms_p50\na,7,20\n').known]).toEqual([['a', 20]]);
  });

  test('is refused without either', () => {
    expect(() => loads('key_id,ms\na,20\n')).toThrow(
      'keys.csv has no column load_ms or rtt_ms_p50',
    );
  });

  test('is told about times that are none', () => {
    expect(loads('key_id,load_ms\na,-1\n').rows.malformed.first).toEqual([
      { line: 2, reason: 'not a load time in ms: "-1"' },
    ]);
  });
});
