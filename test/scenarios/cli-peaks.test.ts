import { expect } from 'vitest';
import { Keys } from '../../src/redis/keys.ts';
import { packed } from '../../src/redis/packed.ts';
import { compiled } from '../helpers/child.ts';
import { connect } from '../helpers/redis.ts';
import { type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const HOUR_MS = 3_600_000;
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1m' }];

/** Runs `everwarm peaks item` to its end. */
async function peaks(system: System, ...args: string[]) {
  const file = compiled('test/processes/loaders.js');
  const where = ['--loaders', file, '--redis', system.url, '--namespace', system.namespace];
  const child = system.run('src/cli/main.js', ['peaks', 'item', ...args, ...where], { loaders });
  const { code } = await child.exited;
  return { code, output: child.output };
}

/** Writes a week down, with more reads at nine. */
async function writeWeek(system: System): Promise<void> {
  const redis = connect(system.url);
  const keys = new Keys(system.namespace);
  const last = Math.floor(Date.now() / HOUR_MS) - 1;
  for (let hour = last; hour > last - 7 * 24; hour--) {
    const reads = hour % 24 === 9 ? [90_000, 9_000, 1_000] : [1_000];
    const names = ['a', 'b', 'c'].slice(0, reads.length);
    const heat = { atMs: (hour + 1) * HOUR_MS, halfLifeMs: 240_000 };
    const bytes = await packed({ format: 2, ...heat, keys: names, reads });
    await redis.set(keys.history({ name: 'item', version: 1 }, hour), bytes);
  }
}

test('everwarm peaks says that there is no history yet, and refuses a zone that does not exist', async ({
  system,
}) => {
  const [none, atlantis] = await Promise.all([
    peaks(system, '--timezone', 'UTC'),
    peaks(system, '--timezone', 'Europe/Atlantis'),
  ]);
  expect(none).toEqual({
    code: 0,
    output: expect.stringMatching(/^no hour of item has been written down yet\.\nSchedulers do so/),
  });
  expect(atlantis).toEqual({
    code: 1,
    output: expect.stringContaining('`--timezone` ("Europe/Atlantis") must be an IANA time zone'),
  });
});

test('everwarm peaks prints the week, its peaks and a plan', async ({ system }) => {
  await writeWeek(system);
  const [text, json] = await Promise.all([
    peaks(system, '--timezone', 'UTC'),
    peaks(system, '--timezone', 'Asia/Tokyo', '--json'),
  ]);
  expect(text).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^09:00( +[\d.]+K| +-){7} .*█{20}$/m),
  });
  expect(text.output).toContain('peaks: 09:00 to 10:00 (');
  expect(text.output).toContain(
    "peakAt: '09:00',\n  timezone: 'UTC',\n  keys: { hottest: 100, of: 'expected' }",
  );
  expect(JSON.parse(json.output)).toMatchObject({
    loader: 'item',
    timezone: 'Asia/Tokyo',
    peaks: [{ fromHour: 18, toHour: 19 }],
    plan: { peakAt: '18:00', timezone: 'Asia/Tokyo', hottest: 100 },
  });
});
