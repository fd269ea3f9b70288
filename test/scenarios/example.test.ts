import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { redisUrl } from '../helpers/redis.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../examples/shop/main.mjs', import.meta.url));

it('the shop shows what each feature is for', async () => {
  const env = { ...process.env, REDIS_URL: redisUrl() };

  const { stdout } = await run(process.execPath, [program], { env });

  expect(stdout.split('\n').filter((line) => line.startsWith('   '))).toEqual([
    '   calls of the database: 1',
    expect.stringMatching(/^ {3}sources: (redis, )?memory$/),
    '   found 2 of 3, calls of the database: 2',
    '   price: 45',
    '   first 45 (stale), then 50',
    '   refreshed: true, readers that waited: 0',
    '   took at least a second: true',
    '   5.8 EUR, calls: 1',
  ]);
});
