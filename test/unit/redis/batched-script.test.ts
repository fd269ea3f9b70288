import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BatchedScript } from '../../../src/redis/batched-script.ts';

const TIMEOUT_MS = 250;
const SCRIPT_MS = 10;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Run = ConstructorParameters<typeof BatchedScript>[0]['run'];

/** A server that runs one script after the other, and says how many it was sent. */
function slowServer(): { run: Run; scripts: number } {
  let line: Promise<unknown> = Promise.resolve();
  const server = {
    scripts: 0,
    run: (calls: Parameters<Run>[0]): Promise<unknown[]> => {
      server.scripts++;
      const answer = line.then(
        () =>
          new Promise<unknown[]>((resolve) =>
            setTimeout(() => resolve(calls.map(({ keys }) => keys[0])), SCRIPT_MS),
          ),
      );
      line = answer;
      return answer;
    },
  };
  return server;
}

/** What became of a call for each key: its reply, or the code of its error. */
function callAll(run: Run, keys: readonly string[]): Promise<unknown>[] {
  const script = new BatchedScript({
    what: 'locking',
    run,
    slotOf: (key) => Number(key.split(':')[0]),
    nodeOf: (key) => key.split(':')[0] ?? '',
    timeoutMs: TIMEOUT_MS,
  });
  return keys.map(async (key) => {
    const answer = script.call([key], []);
    return answer.then(([reply]) => reply).catch((error) => error.code);
  });
}

const keysOf = (node: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${node}:${at}`);

test('calls that wait for others run out of their time only once they are sent', async () => {
  const keys = keysOf(0, 5_000);
  const replies = Promise.all(callAll(slowServer().run, keys));

  await vi.advanceTimersByTimeAsync(100 * SCRIPT_MS + TIMEOUT_MS);

  expect(await replies).toEqual(keys);
});

test('a server that does not answer keeps nobody waiting for longer than its time', async () => {
  const run = vi.fn<Run>(() => new Promise(() => undefined));
  const replies = Promise.all(callAll(run, keysOf(0, 5_000)));

  await vi.advanceTimersByTimeAsync(TIMEOUT_MS + 1);

  expect(new Set(await replies)).toEqual(new Set(['REDIS_UNAVAILABLE']));
  expect(run).toHaveBeenCalledTimes(10);
});

test('a refused script fails its own calls alone', async () => {
  const server = slowServer();
  const refusal = Object.assign(new Error('OOM'), { name: 'ReplyError', code: 'OOM' });
  const run: Run = (calls) =>
    calls[0]?.keys[0] === '0:0' ? Promise.reject(refusal) : server.run(calls);
  const replies = Promise.all(callAll(run, keysOf(0, 1_000)));

  await vi.advanceTimersByTimeAsync(20 * SCRIPT_MS + TIMEOUT_MS);

  expect((await replies).filter((reply) => reply === 'OOM')).toHaveLength(50);
  expect((await replies).filter((reply) => reply === 'REDIS_UNAVAILABLE')).toEqual([]);
});

test('calls of one server do not wait for those of another', async () => {
  const server = slowServer();
  const run: Run = (calls) =>
    calls[0]?.keys[0]?.startsWith('1:') ? server.run(calls) : new Promise(() => undefined);
  const replies = callAll(run, [...keysOf(0, 5_000), ...keysOf(1, 50)]).slice(5_000);

  await vi.advanceTimersByTimeAsync(SCRIPT_MS + 1);

  expect(await Promise.all(replies)).toEqual(keysOf(1, 50));
});
