import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { malformedText, readCsvFile } from '../../../src/cli/csv-file.ts';
import { progressLine } from '../../../src/cli/progress-line.ts';
import { traceRows } from '../../../src/simulate/trace-rows.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'everwarm-csv-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileOf(content: string | Buffer): Promise<string> {
  const path = join(directory, 'trace.csv');
  await writeFile(path, content);
  return path;
}

/** Reads a file to its end; answers its rows and how many reads were taken. */
async function readAll(path: string) {
  let reads = 0;
  const rows = traceRows(path, { ttl: 'ignored' }, () => reads++);
  const shares: number[] = [];
  await readCsvFile(path, rows, (share) => shares.push(share));
  return { reads, rows, lastShare: shares.at(-1) };
}

/** A trace of so many reads, with rows that are none in between. */
function traceWith(reads: number, malformed: number): string {
  const rows = Array.from({ length: reads }, (_, at) => `${at},käy ${at}`);
  for (let at = 0; at < malformed; at++) rows.splice(7 * (at + 1), 0, 'x,y');
  return `t_ms,key_id\n${rows.join('\n')}\n`;
}

describe('a trace file', () => {
  test('is read plain and gzipped, to its end', async () => {
    const text = traceWith(20_000, 0);

    expect(await readAll(await fileOf(text))).toMatchObject({ reads: 20_000, lastShare: 1 });
    expect(await readAll(await fileOf(gzipSync(text)))).toMatchObject({
      reads: 20_000,
      lastShare: 1,
    });
  });

  test('may have up to 1 % of malformed rows, which are named', async () => {
    const path = await fileOf(traceWith(693, 7));
    const { reads, rows } = await readAll(path);

    expect(reads).toBe(693);
    expect(malformedText('t.csv', rows)).toMatch(
      /^t\.csv: 7 of 700 rows are malformed \(line 9: t_ms is not a time: "x"; .*; and 2 more\)$/,
    );
  });

  test('is refused with more', async () => {
    await expect(readAll(await fileOf(traceWith(692, 8)))).rejects.toThrow(
      /trace\.csv: 8 of 700 rows are malformed \(line 9: .*\); at most 1 % may be$/,
    );
  });

  test('is refused when it is empty', async () => {
    await expect(readAll(await fileOf(''))).rejects.toThrow(/trace\.csv is empty$/);
    await expect(readAll(await fileOf(gzipSync('')))).rejects.toThrow(/trace\.csv is empty$/);
  });

  test('is refused when it is damaged', async () => {
    const whole = gzipSync(traceWith(20_000, 0));
    const cut = whole.subarray(0, whole.length / 2);
    const wrong = Buffer.from(whole);
    wrong.fill(0x55, 2_000, 3_000);

    await expect(readAll(await fileOf(cut))).rejects.toThrow(
      /trace\.csv cannot be read: unexpected end of file$/,
    );
    await expect(readAll(await fileOf(wrong))).rejects.toThrow(/trace\.csv cannot be read: /);
  });

  test('is refused for what it says, gzipped or not', async () => {
    const text = `time,key\n${'0,a\n'.repeat(50_000)}`;
    for (const content of [text, gzipSync(text)]) {
      await expect(readAll(await fileOf(content))).rejects.toThrow('has no column t_ms, key_id');
    }
  });

  test('is refused when there is none, or when it cannot be read twice', async () => {
    await expect(readAll(join(directory, 'none.csv'))).rejects.toThrow(/none\.csv does not exist$/);
    await expect(readAll(directory)).rejects.toThrow('cannot be read: it is not a regular file');
  });
});

test('progress is shown on a terminal alone, and leaves nothing behind', async () => {
  const written: string[] = [];
  const sink = (isTTY: boolean) => ({ isTTY, write: (text: string) => written.push(text) });
  const nowhere = progressLine(sink(false));
  const terminal = progressLine(sink(true));
  await expect
    .poll(() => {
      nowhere.show(0.5);
      return written;
    })
    .toEqual([]);
  await expect
    .poll(() => {
      terminal.show(0.425);
      return written;
    })
    .toEqual(['\r\u001b[2K42 %']);

  nowhere.clear();
  terminal.clear();
  expect(written.slice(1)).toEqual(['\r\u001b[2K']);
});
