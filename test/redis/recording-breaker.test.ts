import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/index.ts';
import { halfLifeMs } from '../../src/policy/heat.ts';
import { AccessRecorder } from '../../src/read/access-recorder.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { commandCalls, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

test('reads are dropped at once while their tracker is away for long, and sent again once it answers', async () => {
  const redis = connect((await ownServer()).url);
  const loader = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });
  const keys = new Keys(uniqueNamespace());
  const events = new Events();
  const recorder = new AccessRecorder({
    tracker: new Tracker(redis, keys, loader),
    breakers: new Breakers({ role: 'queue', events, nodeOf: () => '' }),
    clock: { now: () => Date.now() },
    events,
    loader,
    flushIntervalMs: 60_000,
    recordRate: 1_000_000,
    maxPendingKeys: 50_000,
    random: Math.random,
  });
  onTestFinished(() => recorder.close());
  const [opened, closed] = [recorded(events, 'breaker:opened'), recorded(events, 'breaker:closed')];
  const dropped = recorded(events, 'reads:dropped');
  const flush = async (key: string): Promise<void> => {
    recorder.count(key, Date.now() + 3_600_000);
    await recorder.flush();
  };
  await flush('before'); // Brings the script to the server.

  await redis.acl('SETUSER', 'default', '-evalsha');
  for (let failure = 0; failure < 5; failure++) await flush('a');
  expect(opened).toEqual([{ role: 'queue', node: '' }]);
  const before = await commandCalls(redis);
  await flush('b');
  expect(await commandCalls(redis)).toMatchObject({ evalsha: before.evalsha });
  const refusal = /^the circuit breaker is open for the queue Redis: NOPERM/;
  expect(dropped).toHaveLength(6);
  expect(dropped[5]).toMatchObject({ keys: 1, error: { message: expect.stringMatching(refusal) } });

  await redis.acl('SETUSER', 'default', '+evalsha');
  const { heat } = keys.tracker(loader, halfLifeMs(3_600_000));
  await expect
    .poll(async () => {
      await flush('c');
      return redis.zscore(heat, 'c');
    })
    .not.toBeNull();
  expect(closed).toEqual([{ role: 'queue', node: '' }]);
});
