import { describe, expect, test, vi } from 'vitest';
import { Cancellation } from '../../../src/core/cancellation.ts';
import { EverwarmError, LoaderError } from '../../../src/core/errors.ts';
import { defineLoader, type LoaderDefinition } from '../../../src/loaders/define-loader.ts';
import { type LoadTarget, runLoad } from '../../../src/loaders/run-loader.ts';

type Definition = LoaderDefinition<string, unknown>;

function target(load: Definition['load'], more: Partial<Definition> = {}): LoadTarget {
  const loader = defineLoader<string, unknown>({ name: 'item', ttl: '1m', load, ...more });
  return { loader, key: 'a' };
}

const call = { reason: 'miss', attempt: 1 } as const;
const never = (): Promise<never> => new Promise<never>(() => undefined);

describe('a load', () => {
  test('answers the value, from a promise or at once', async () => {
    expect(
      await runLoad(
        target(async (id) => `${id}!`),
        call,
      ),
    ).toEqual({ value: 'a!', etag: null });
    expect(
      await runLoad(
        target((id) => `${id}!`),
        call,
      ),
    ).toEqual({ value: 'a!', etag: null });
    expect(
      await runLoad(
        target(() => undefined),
        call,
      ),
    ).toEqual({ value: undefined, etag: null });
  });

  test('is told who asks, for which key, at which attempt', async () => {
    const { loader } = target((_id, { signal: _, ...context }) => context);
    const asked = { loader, key: '{"id":1}', params: { id: 1 } };
    expect(await runLoad(asked, { reason: 'refresh', attempt: 3 })).toEqual({
      value: { reason: 'refresh', key: '{"id":1}', attempt: 3, etag: undefined },
      etag: null,
    });
  });

  test.for([
    [
      'throws',
      () => {
        throw new RangeError('too big');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('too big'))],
  ] as const)('that %s fails with its own error as the cause', async ([, load]) => {
    const answer = await runLoad(target(load), call);

    expect(answer).toEqual({ error: expect.any(LoaderError) });
    expect(answer).toMatchObject({
      error: {
        code: 'LOADER_FAILED',
        message: 'loader "item" failed for key a: too big',
        cause: new RangeError('too big'),
      },
    });
  });

  test('that throws no Error fails with what it threw', async () => {
    const rejecting = target(() => Promise.reject('just text'));
    expect(await runLoad(rejecting, call)).toMatchObject({
      error: { message: 'loader "item" failed for key a: just text', cause: 'just text' },
    });
  });

  test('that fails because of a load inside it names both, and is no abort of its own', async () => {
    const inner = new LoaderError('LOAD_ABORTED', 'loader "inner" failed for key b: lost lock');
    const failing = target(() => Promise.reject(inner));
    expect(await runLoad(failing, call)).toMatchObject({
      error: {
        code: 'LOADER_FAILED',
        message: 'loader "item" failed for key a: loader "inner" failed for key b: lost lock',
        cause: inner,
      },
    });
  });
});

describe('a load that takes too long', () => {
  test('fails at loadTimeout, its signal aborted, though it does not listen', async () => {
    let seen: AbortSignal | undefined;
    const deaf: Definition['load'] = (_id, { signal }) => {
      seen = signal;
      return never();
    };
    expect(await runLoad(target(deaf, { loadTimeout: 10 }), call)).toMatchObject({
      error: {
        code: 'LOADER_TIMEOUT',
        message: 'loader "item" failed for key a: no answer within loadTimeout (10 ms)',
      },
    });
    expect(seen?.reason).toMatchObject({ code: 'LOADER_TIMEOUT' });
  });

  test('fails with the timeout when it listens and rejects with what it likes', async () => {
    const polite: Definition['load'] = (_id, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('gave up')));
      });
    const answer = await runLoad(target(polite, { loadTimeout: 10 }), call);
    expect(answer).toMatchObject({ error: { code: 'LOADER_TIMEOUT' } });
  });

  test('may answer or fail late: nobody hears of it', async () => {
    let settle: (() => void)[] = [];
    const late: Definition['load'] = () =>
      new Promise((resolve, reject) => {
        settle = [() => resolve('late'), () => reject(new Error('late'))];
      });
    for (const at of [0, 1]) {
      const answer = await runLoad(target(late, { loadTimeout: 10 }), call);
      settle[at]?.(); // An unhandled rejection here would fail the run.
      expect(answer).toMatchObject({ error: { code: 'LOADER_TIMEOUT' } });
    }
  });
});

describe('a load whose caller aborts', () => {
  const lost = new EverwarmError('LOAD_ABORTED', 'the lock was lost');

  test('ends with the reason, and its signal tells it', async () => {
    const cancellation = new Cancellation();
    let reason: unknown;
    const load: Definition['load'] = (_id, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      cancellation.abort(lost);
      return never();
    };
    expect(await runLoad(target(load), { ...call, cancellation })).toMatchObject({
      error: {
        code: 'LOAD_ABORTED',
        message: 'loader "item" failed for key a: the lock was lost',
        cause: lost,
      },
    });
    expect(reason).toBe(lost);
  });

  test('is not even started when that was before', async () => {
    let calls = 0;
    const load = (): number => ++calls;
    const cancellation = new Cancellation();
    cancellation.abort(lost);
    expect(await runLoad(target(load), { ...call, cancellation })).toMatchObject({
      error: { code: 'LOAD_ABORTED' },
    });
    expect(calls).toBe(0);
  });

  test('leaves no timer behind when it ends before', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await runLoad(
      target(() => 1),
      call,
    );
    expect(timers()).toBe(before);
  });

  test('makes a signal only for a loader that asks for it', async () => {
    const cancellation = new Cancellation();
    const signals = vi.spyOn(cancellation, 'signal', 'get');
    await runLoad(
      target((id) => id),
      { ...call, cancellation },
    );
    expect(signals).not.toHaveBeenCalled();
    await runLoad(
      target((_id, { signal }) => signal.aborted),
      { ...call, cancellation },
    );
    expect(signals).toHaveBeenCalledOnce();
  });
});
