import { expect } from 'vitest';
import type { Explanation } from '../../src/index.ts';
import { compiled } from '../helpers/child.ts';
import { type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [
  { name: 'item', ttl: '1h' },
  { name: 'price', ttl: '1h' },
];

/** Runs `everwarm` with the loaders to its end. */
async function everwarm(system: System, ...args: string[]): Promise<unknown> {
  const file = compiled('test/processes/loaders.js');
  const where = ['--loaders', file, '--redis', system.url, '--namespace', system.namespace];
  const child = system.run('src/cli/main.js', [...args, ...where], { loaders });
  const { code } = await child.exited;
  return { code, output: child.output };
}

test('everwarm explain says why a key is not refreshed, and what a pause changes', async ({
  system,
}) => {
  const app = await system.app(loaders);
  await app.read('item', 'hot', 1_500);

  expect(await everwarm(system, 'explain', 'item', 'hot')).toEqual({
    code: 0,
    output: expect.stringMatching(
      /^item hot is not refreshed: no scheduler of its loader was ever seen, else it would be refreshed in .*\n\n {2}heat {10}\d+\.\d recent reads/,
    ),
  });
  expect(await everwarm(system, 'pause', 'item', '--json')).toEqual({
    code: 0,
    output: '{"loader":"item","state":"paused","changed":true}',
  });
  const told = (await everwarm(system, 'explain', 'item', 'hot', '--json')) as { output: string };
  expect(told.output).not.toContain('\n');
  expect(JSON.parse(told.output) as Explanation).toMatchObject({
    loader: 'item',
    key: 'hot',
    verdict: 'paused',
    entry: { state: 'fresh' },
  });
});

test('everwarm explain refuses loaders and keys that there cannot be, naming those there are', async ({
  system,
}) => {
  const [unknown, spelled] = await Promise.all([
    everwarm(system, 'pause', 'itme'),
    everwarm(system, 'explain', 'item', '{"b":1, "a":2}'),
  ]);
  const named = expect.stringMatching(
    /^everwarm: loader "itme" is not in .*, which has: item, price$/,
  );
  expect(unknown).toEqual({ code: 1, output: named });
  expect(spelled).toEqual({
    code: 1,
    output: expect.stringContaining('must be canonical: "{\\"a\\":2,\\"b\\":1}"'),
  });
});
