import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  SCRIPTS,
  type ScriptArgument,
  type ScriptName,
  scriptClient,
} from '../../src/redis/scripts.ts';
import { ownServer } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

const FOLDER = new URL('../../src/redis/lua/', import.meta.url);
const NAMES = Object.keys(SCRIPTS) as ScriptName[];

interface Script {
  readonly name: ScriptName;
  readonly lines: readonly string[];
  readonly header: readonly string[];
  readonly code: string;
}

function scriptOf(name: ScriptName): Script {
  const source = readFileSync(new URL(fileOf(name), FOLDER), 'utf8');
  const lines = source.trimEnd().split('\n');
  const length = lines.findIndex((line) => !line.startsWith('-- '));
  return { name, lines, header: lines.slice(0, length), code: lines.slice(length).join('\n') };
}

function fileOf(name: string): string {
  return `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.lua`;
}

/** What the header's line with that label lists. */
function listed(script: Script, label: string): string[] {
  const line = script.header.find((one) => one.startsWith(`-- ${label}: `)) ?? '';
  return line.slice(`-- ${label}: `.length).split(', ');
}

test('lists every Lua file, and no other', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(NAMES.map(fileOf).sort());
});

test.each(NAMES)('%s opens with a sentence, KEYS, ARGV and Returns, in that order', (name) => {
  const { header } = scriptOf(name);
  const labels = header.map((line) => /^-- (KEYS|ARGV|Returns): \S/.exec(line)?.[1]);
  const [sentence, rest] = [labels.lastIndexOf(undefined) + 1, labels.filter(Boolean)];

  expect(rest).toEqual(['KEYS', 'ARGV', 'Returns']);
  const text = header.slice(0, sentence).join('\n');
  expect(text).toMatch(/^-- [A-Z][\s\S]*\.$/);
});

test.each(NAMES)('%s has at most 60 lines', (name) => {
  expect(scriptOf(name).lines.length).toBeLessThanOrEqual(60);
});

test.each(NAMES)('%s lists as many keys as it is called with', (name) => {
  expect(listed(scriptOf(name), 'KEYS')).toHaveLength(SCRIPTS[name]);
});

test.each(NAMES)('%s touches no key but those passed in KEYS', (name) => {
  const code = scriptOf(name)
    .code.replace("redis.call('TIME')", '') // it has no key
    .replace("'OBJECT', 'IDLETIME'", "'OBJECT'"); // its key comes second
  const calls = [...code.matchAll(/redis\.p?call\(\s*'[A-Z]+',\s*([^,)]+)/g)];
  // A channel is no key: it has no slot.
  const used = calls.filter(([call]) => !call.includes("'PUBLISH'")).map(([, key = '']) => key);
  const known = keyNames(code);

  expect(used).not.toEqual([]);
  expect(used.filter((key) => !known.has(key))).toEqual([]);
  expect(new Set([...code.matchAll(/redis\.p?call/g)]).size).toBe(calls.length);
});

/**
 * `KEYS[n]`, also of a loop over all of them, the locals that stand for them, and the locals that stand for those; in a batched script
 * the first parameters of its function, which is called with the keys of one call after the other.
 */
function keyNames(code: string): Set<string> {
  const names = new Set(['KEYS[i]', ...Array.from({ length: 9 }, (_, at) => `KEYS[${at + 1}]`)]);
  const [, ofCall] = /^local function \w+\((\w+, \w+),/m.exec(code) ?? [];
  if (ofCall && code.includes('(KEYS[2 * i - 1], KEYS[2 * i], ')) {
    for (const name of ofCall.split(', ')) names.add(name);
  }
  for (const [, left = '', right = ''] of code.matchAll(/^ *local ([\w, ]+) = (.+)$/gm)) {
    const values = right.split(', ');
    for (const [at, local] of left.split(', ').entries()) {
      if (names.has(values[at] ?? '')) names.add(local);
    }
  }
  return names;
}

const ARGUMENTS: Readonly<Record<ScriptName, readonly ScriptArgument[]>> = {
  acquireLock: [1, 'token', 1_000, '0', '', ''],
  renewLock: ['token', 1_000],
  releaseLock: ['token', '', 1_000],
  commitEntry: [1, 'token', '1 {}', 1_000, '0 0', ''],
  readHeaders: [],
  putEntry: ['bytes', 1_000],
  invalidateEntry: [],
  markEntry: [],
  keepUntil: [1_000, 2_000, 'a'],
  recordAccess: [1_000, 1e15, 4_000, 500, 60, 'a', 4, 2_000],
  claimDue: [1_000, 1e15, 2_000, 10],
  settle: [2_000.5, 'a', ''],
  rearm: [60, 'a', 3_000, ''],
  moveThreshold: [1_000, 1_000, 60, 0, 0, 8.8, 100, 100, 100, 100],
  enterOrigin: ['token', 3_000, 0, 1, 1, 1, 1_000_000, 0, 1_000, 1_000],
  holdLease: ['token', 3_000],
  leaveOrigin: ['token', 'failed', 5, 0, 1, 1, 1_000],
  trimTracker: [1_000, 1e15, 4_000, 0, 10, 10],
  wakeHottest: [1_000, 1e15, 2_000, 0],
  takePermit: [1, 10, 1_000_000, 0],
  lookNow: [1_000, 1e15, 500, 60, 'a'],
  pullBackDues: [1_000, 10],
  addCounts: [60, 'redis', 4],
};

test.each(NAMES)('%s runs on after a SCRIPT FLUSH', async (name) => {
  const server = await ownServer();
  const redis = connect(server.url);
  const client = scriptClient(redis);
  const run = (attempt: number): Promise<unknown> => {
    const keys = Array.from({ length: SCRIPTS[name] }, (_, at) => `{${attempt}}:${at}`);
    return client.run(name, [...keys, ...ARGUMENTS[name]]);
  };
  const first = await run(1);
  expect(await run(2)).toEqual(first);

  await redis.script('FLUSH');

  expect(await run(3)).toEqual(first);
});
