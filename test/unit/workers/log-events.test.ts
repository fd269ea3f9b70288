import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EverwarmError } from '../../../src/core/errors.ts';
import { Events } from '../../../src/core/events.ts';
import { logEvents } from '../../../workers/log-events.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** What is logged of the events of a role: the objects of its lines. */
function logged(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const formatters = { level: (label: string) => ({ level: label }) };
  const events = new Events();
  logEvents(pino({ level, formatters, base: null, timestamp: false }, { write }), events);
  return { events, lines };
}

function fail(events: Events, key: string): void {
  const error = new Error(`no answer for ${key}`);
  events.emit('refresh:failed', { loader: 'price', key, error, retryAtMs: 60_000 });
}

describe('trouble in the log', () => {
  test('of a thousand keys for one reason is one line, then a count every ten seconds while it lasts', () => {
    const { events, lines } = logged();

    for (let at = 0; at < 1_000; at++) fail(events, `sku-${at}`);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ repeated: 999, key: 'sku-999' });
    expect(lines[1]?.msg).toContain('(999 more times since)');
    vi.advanceTimersByTime(60_000);

    expect(lines).toHaveLength(2);
    fail(events, 'sku-1');
    expect(lines).toHaveLength(3);
    expect(lines[2]).not.toHaveProperty('repeated');
  });

  test('of a missing connection is told in words', () => {
    const { events, lines } = logged();
    const error = new Error("Stream isn't writeable and enableOfflineQueue options is false");
    events.emit('redis:failed', { role: 'queue', error });
    expect(lines).toMatchObject([
      { msg: 'queue Redis: there is no connection', server: 'queue', error: { name: 'Error' } },
    ]);
  });

  test('of two kinds are two lines', () => {
    const { events, lines } = logged();

    events.emit('redis:failed', { role: 'cache', error: new Error('connect ECONNREFUSED') });
    events.emit('redis:failed', { role: 'queue', error: new Error('connect ECONNREFUSED') });

    expect(lines.map(({ msg }) => msg)).toEqual([
      'cache Redis: connect ECONNREFUSED',
      'queue Redis: connect ECONNREFUSED',
    ]);
  });

  test('of more kinds than anybody can read is counted as one', () => {
    const { events, lines } = logged();

    const name = (at: number): string => String.fromCharCode(...[...`${at}`].map((c) => +c + 97));
    for (let at = 0; at < 5_000; at++) events.emit('lock:lost', { loader: name(at), key: 'k' });

    expect(lines.length).toBeLessThan(1_010);
  });

  test('names code, message and stack of an error, but never the arguments of a command', () => {
    const { events, lines } = logged();
    const error = Object.assign(new Error('OOM command not allowed'), {
      code: 'OOM',
      command: { name: 'set', args: ['secret-key', 'secret-value'] },
    });

    events.emit('redis:failed', { role: 'cache', error });

    const { error: told } = lines[0] as { error: object };
    expect(Object.keys(told)).toEqual(['name', 'code', 'message', 'stack']);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

test.for([
  ['breaker:opened', { role: 'cache', node: '' }, 'warn'],
  ['breaker:closed', { role: 'cache', node: '10.0.0.1:7000' }, 'info'],
  ['server:unsuitable', { role: 'queue', error: new EverwarmError('CLOSED', 'evicts') }, 'warn'],
  [
    'dashboard:failed',
    { method: 'GET', path: '/', status: 503, error: new Error('away') },
    'error',
  ],
  ['schema:mismatched', { loader: 'l', key: 'k', at: 'load', issues: 'id: number' }, 'error'],
  ['origin:opened', { loader: 'l', retryAtMs: 0 }, 'error'],
  ['origin:closed', { loader: 'l' }, 'info'],
  ['origin:paused', { loader: 'l', retryAtMs: 0 }, 'warn'],
  ['warmup:started', { plan: 'p', runId: 'r', position: 0 }, 'info'],
  ['warmup:failed', { plan: 'p', runId: 'r', error: new Error('no keys') }, 'error'],
  ['warm:stalled', { loader: 'l', runId: 'r', jobs: 3, silentMs: 60_000 }, 'warn'],
  [
    'tracker:limited',
    { loader: 'l', why: 'bytes', keys: 9, trimmed: 1, bytes: 5, usedShare: 0.5 },
    'warn',
  ],
] as const)('%s is logged with its fields, at its level', ([name, event, level]) => {
  const { events, lines } = logged();

  events.emit(name, event as never);

  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level, event: name });
  // The role in a line is the process's.
  const fields = Object.keys(event).map((field) => (field === 'role' ? 'server' : field));
  expect(Object.keys(lines[0] ?? {})).toEqual(expect.arrayContaining(fields));
});

test('keys are named for what went wrong with one of them alone', () => {
  const { events, lines } = logged('debug');

  events.emit('refresh:planned', {
    loader: 'l',
    key: 'private',
    why: 'expiring',
    valueReads: 3,
    expiresAtMs: 1,
  });
  events.emit('refresh:completed', { loader: 'l', key: 'private', loadMs: 5, leadMs: 900 });
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).not.toContain('private');

  events.emit('lock:lost', { loader: 'l', key: 'this one' });
  expect(lines.at(-1)).toMatchObject({ key: 'this one' });
});

test('what comes with each refresh is logged at level debug alone', () => {
  const { events, lines } = logged();

  events.emit('refresh:completed', { loader: 'l', key: 'k', loadMs: 5, leadMs: 900 });

  expect(lines).toEqual([]);
  expect(events.listeners('refresh:completed').size).toBe(0);
});
