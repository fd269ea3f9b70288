import { describe, expect, test } from 'vitest';
import { notModified, withEtag } from '../../../src/loaders/answers.ts';
import { defineLoader } from '../../../src/loaders/define-loader.ts';
import { type LoadTarget, runLoad, runLoadMany } from '../../../src/loaders/run-loader.ts';

const call = { reason: 'miss', attempt: 1 } as const;

function answering(answer: unknown, etag: string | null = null): LoadTarget {
  const load = async (): Promise<unknown> => answer;
  return { loader: defineLoader({ name: 'item', ttl: '1m', load }), key: 'a', etag };
}

const failed = (why: string) => ({
  error: { code: 'LOADER_FAILED', message: `loader "item" failed for key a: ${why}` },
});

describe('a loader that answers', () => {
  test('with an ETag gives value and ETag, also of nothing', async () => {
    expect(await runLoad(answering(withEtag(1, 'v1')), call)).toEqual({ value: 1, etag: 'v1' });
    expect(await runLoad(answering(withEtag(undefined, '')), call)).toEqual({
      value: undefined,
      etag: '',
    });
  });

  test('that nothing has changed says so where it was told an ETag', async () => {
    expect(await runLoad(answering(notModified(), 'v1'), call)).toEqual({ isNotModified: true });
    expect(await runLoad(answering(notModified(), ''), call)).toEqual({ isNotModified: true });
  });

  test('that without having been told one has failed', async () => {
    const answer = await runLoad(answering(notModified()), call);
    expect(answer).toMatchObject(failed('answered notModified(), but its context had no etag'));
  });

  test('both at once has failed', async () => {
    const answer = await runLoad(answering(withEtag(notModified(), 'v1'), 'v0'), call);
    const why = 'answered notModified() within withEtag(): what is kept keeps its etag';
    expect(answer).toMatchObject(failed(why));
  });

  test.each([null, 7, 'é'.repeat(513)])(
    'with an ETag that is no text, or too long, has failed: %#',
    async (etag) => {
      const answer = await runLoad(answering(withEtag(1, etag as string)), call);
      expect(answer).toMatchObject({
        error: {
          message: expect.stringMatching(/answered an etag \(.+\) that must be a string of/),
        },
      });
    },
  );

  test('many is told the ETag of each, and each is judged alone', async () => {
    const told: unknown[] = [];
    const loader = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (id: string): Promise<string> => id,
      loadMany: async (ids, { etags }) => {
        told.push(etags);
        return ids.map(() => notModified());
      },
    });
    const asked = [
      { loader, key: 'b', etag: 'v1' },
      { loader, key: 'a', etag: null },
    ];
    expect(await runLoadMany(asked, call)).toMatchObject([
      { isNotModified: true },
      failed('answered notModified(), but its context had no etag'),
    ]);
    expect(told).toEqual([['v1', undefined]]);
  });
});
