import { expect, test } from 'vitest';
import { Cancellation } from '../../src/core/cancellation.ts';
import { Events } from '../../src/core/events.ts';
import { waitUnlessAborted } from '../../src/core/wait.ts';
import { Permits, SHORT_PERMIT_WAIT_MS } from '../../src/load/permits.ts';
import { Keys } from '../../src/redis/keys.ts';
import { scriptClient } from '../../src/redis/scripts.ts';
import { commandCalls, ownServer } from '../helpers/cache.ts';
import { limited } from '../helpers/limited-loader.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

test('who can do without a permit asks again when a refusal said, not when waiting might do', async () => {
  const redis = connect((await ownServer()).url);
  const { loader } = limited({ perMs: 600 });
  const keys = new Keys(uniqueNamespace());
  const parts = { scripts: scriptClient(redis), keys, events: new Events() };
  const [other, permits] = [new Permits(parts), new Permits(parts)];
  const take = (from: Permits): Promise<number | null> =>
    from.take(loader, { maxWaitMs: SHORT_PERMIT_WAIT_MS, cancellation: new Cancellation() });
  const pass = (ms: number): Promise<void> => waitUnlessAborted(ms, new Cancellation());
  const asked = async (): Promise<number | undefined> => (await commandCalls(redis)).llen;
  expect(await take(other)).toBeNull();
  const retryAfterMs = (await take(permits)) ?? 0;
  expect(retryAfterMs).toBeGreaterThan(SHORT_PERMIT_WAIT_MS);
  expect(await asked()).toBe(2);

  await pass(retryAfterMs - SHORT_PERMIT_WAIT_MS); // a permit is near enough to wait for
  expect(await take(permits)).toBeGreaterThan(0);
  expect(await asked()).toBe(2);

  await pass(SHORT_PERMIT_WAIT_MS);
  expect(await take(permits)).toBeNull();
  expect(await asked()).toBe(3);
});
