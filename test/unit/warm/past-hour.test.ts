import { expect, test } from 'vitest';
import { pastHour } from '../../../src/warm/hottest-keys.ts';
import { Zone } from '../../../src/warm/zone.ts';

const berlin = new Zone('Europe/Berlin');
const hourOf = (text: string): number => Date.parse(text) / 3_600_000;

test('the same hour of a day or a week before is that of the local clock', () => {
  const monday = Date.parse('2026-11-23T09:20+01:00');
  expect(pastHour(berlin, monday, 1)).toBe(hourOf('2026-11-22T09:00+01:00'));
  expect(pastHour(berlin, monday, 7)).toBe(hourOf('2026-11-16T09:00+01:00'));
});

test('also across a clock change', () => {
  const changed = Date.parse('2026-10-25T09:20+01:00');
  expect(pastHour(berlin, changed, 1)).toBe(hourOf('2026-10-24T09:00+02:00'));
});
