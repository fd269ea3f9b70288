import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOfFile } from '../../../src/cli/keys-file.ts';
import { printable } from '../../../src/cli/printable.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'everwarm-keys-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(bytes: string | Buffer) {
  const path = join(directory, 'keys.txt');
  await writeFile(path, bytes);
  const bad: [line: number, why: string][] = [];
  const keys: string[] = [];
  for await (const key of keysOfFile(path, (...one) => bad.push(one))) keys.push(key);
  return { keys, bad };
}

test('takes a key a line, whatever the system that wrote it', async () => {
  expect(await read('\uFEFFsku-1\r\n\r\nsku-2\r\n')).toEqual({ keys: ['sku-1', 'sku-2'], bad: [] });
});

test('tells lines that are no keys, or no text at all', async () => {
  const { keys, bad } = await read(Buffer.from([...Buffer.from('a\nb'), 0xff, 0xfe, 0x0a, 0x63]));
  expect(keys).toEqual(['a', 'c']);
  expect(bad).toEqual([[2, 'is no UTF-8 text']]);
  const packed = await read(gzipSync('a\n'.repeat(100)));
  expect(packed.keys).toEqual([]);
  expect(packed.bad[0]).toEqual([1, 'is no UTF-8 text']);
});

test('what others made keeps to its line on a terminal', () => {
  expect(printable('\u001b[31mred\nnext')).toBe('·[31mred·next');
});
