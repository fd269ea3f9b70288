import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { scanFully } from '../../../src/redis/full-scan.ts';
import type { RedisClient } from '../../../src/redis/redis-client.ts';

/** A server that is there for as many batches as it has, of three that a whole scan takes. */
function scene() {
  const connection = new EventEmitter();
  const asked: string[] = [];
  const visited: string[] = [];
  let nowMs = 0;
  const scan = (next: (cursor: string) => Promise<[string, string[]]>): Promise<void> =>
    scanFully({
      what: 'ns:*',
      client: connection as unknown as RedisClient,
      clock: { now: () => nowMs },
      next: (cursor) => {
        asked.push(cursor);
        nowMs += 1_000;
        return next(cursor);
      },
      visit: async (found) => void visited.push(...found),
    });
  return { connection, asked, visited, scan };
}

const batch = (cursor: string): [string, string[]] => [
  cursor === '9' ? '0' : String(Number(cursor || 0) === 0 ? 4 : 9),
  [`at ${cursor}`],
];

test('visits every batch once', async () => {
  const { scan, visited, asked } = scene();
  await scan(async (cursor) => batch(cursor));

  expect(asked).toEqual(['0', '4', '9']);
  expect(visited).toEqual(['at 0', 'at 4', 'at 9']);
});

test('begins again after a batch that failed: the cursor may be of a server that is gone', async () => {
  const { scan, asked } = scene();
  let failures = 1;
  await scan(async (cursor) => {
    if (cursor === '9' && failures-- > 0) throw new Error('the connection was lost');
    return batch(cursor);
  });

  expect(asked).toEqual(['0', '4', '9', '9', '0', '4', '9']);
});

test('begins again when the connection was opened anew between two batches', async () => {
  const { scan, asked, connection } = scene();
  let reconnects = 1;
  await scan(async (cursor) => {
    if (cursor === '4' && reconnects-- > 0) connection.emit('ready');
    return batch(cursor);
  });

  expect(asked).toEqual(['0', '4', '0', '4', '9']);
  expect(connection.listenerCount('ready')).toBe(0);
});

test('gives up when nothing answers for 5 s, and when the connection is lost for ever', async () => {
  const away = scene();
  const failing = away.scan(() => Promise.reject(new Error('nobody there')));
  await expect(failing).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: 'ns:* could not be scanned: nobody there',
  });

  const flapping = scene();
  const lost = flapping.scan(async (cursor) => {
    flapping.connection.emit('ready');
    return batch(cursor);
  });
  await expect(lost).rejects.toThrow(
    'ns:* could not be scanned: the connection was lost too often',
  );
});
