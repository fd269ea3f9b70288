import { expect, test } from 'vitest';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const LOCK_TTL_MS = 30_000;

/** As the release before looks at a lock: its holder, and the outcome left under it. */
const OLD_LOOK = `
local holder, left = string.match(redis.call('GET', KEYS[1]) or '', '^([^=]*)(.*)$')
local endedAtMs, outcome = string.match(left, '^=(%S+) (.*)$')
return {holder, tostring(tonumber(endedAtMs or '')), outcome or ''}`;

function setUp() {
  const redis = connect();
  const store = new EntryStore(redis);
  const place = new Keys(uniqueNamespace()).named('item', 1, 'a');
  const acquire = (token: string, waits: boolean) =>
    store.acquire(place, {
      token,
      lockTtlMs: LOCK_TTL_MS,
      seenCreatedAtMs: 0,
      waitingSinceMs: Date.now(),
      waits,
    });
  const oldLook = () => redis.eval(OLD_LOOK, 1, place.lockKey);
  return { redis, store, place, acquire, oldLook };
}

test('a lock that is waited for is still its holder’s to a process of the release before', async () => {
  const { acquire, oldLook } = setUp();
  await acquire('old', false);

  expect((await acquire('new', true)).kind).toBe('held');

  expect(await oldLook()).toEqual(['old', 'nil', '']);
});

test('an outcome under a lock that is waited for can be read by a process of the release before', async () => {
  const { store, place, acquire, oldLook } = setUp();
  const outcome = { kind: 'failed', code: 'LOADER_FAILED', message: 'a=b!\nc' } as const;
  await acquire('first', false);
  await store.release(place, 'first', { outcome, atMs: 1_000 });
  await acquire('old', false);

  expect((await acquire('new', true)).kind).toBe('held');

  const [holder, endedAtMs, text] = (await oldLook()) as string[];
  expect([holder, endedAtMs]).toEqual(['old', '1000']);
  expect(JSON.parse(text ?? '')).toEqual(outcome);
});
