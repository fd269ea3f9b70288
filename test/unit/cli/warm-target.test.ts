import { expect, test } from 'vitest';
import { targetOf } from '../../../src/cli/warm-target.ts';
import { defineLoader, defineWarmUp } from '../../../src/index.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
const morning = defineWarmUp({
  name: 'morning',
  loader: item,
  schedule: '30 8 * * *',
  timezone: 'UTC',
  keys: ['a'],
});
const file = { loaders: [item], warmUps: [morning] };

test('a name is that of a warm-up, or with keys that of a loader', () => {
  expect(targetOf('morning', file, {})).toEqual({ kind: 'plan', plan: morning });
  expect(targetOf('item', file, { keys: 'keys.txt' })).toEqual({ kind: 'loader', loader: item });
  expect(targetOf('item', file, { hottest: 5 })).toEqual({ kind: 'loader', loader: item });
});

test.for([
  ['evening', {}, '"evening" is neither a warm-up nor a loader (warm-ups: morning; loaders: item)'],
  ['item', {}, '`warm` ("item") is a loader: it needs --keys FILE or --hottest N'],
  ['morning', { hottest: 5 }, '`warm` ("morning") is a warm-up: it has its keys'],
  ['item', { hottest: 5, keys: 'x' }, '`--hottest` (5) cannot go with --keys'],
] as const)('"%s" with %j is refused', ([name, flags, message]) => {
  expect(() => targetOf(name, file, flags)).toThrow(message);
});
