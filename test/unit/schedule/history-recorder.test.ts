import { expect, test } from 'vitest';
import { HistoryRecorder } from '../../../src/schedule/history-recorder.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The hours that are written down by a recorder that looks at these instants. */
async function recorded(...instants: readonly number[]): Promise<number[]> {
  const hours: number[] = [];
  let nowMs = 0;
  const history = { record: async (hour: number) => hours.push(hour) > 0 };
  const recorder = new HistoryRecorder([history], { now: () => nowMs });
  for (nowMs of instants) await recorder.tick();
  return hours;
}

test('an hour is written down once, when it is over', async () => {
  const at = (minutes: number): number => 100 * HOUR_MS + minutes * MINUTE_MS;
  expect(await recorded(at(-0.5), at(0), at(0.5), at(14), at(59.5), at(60))).toEqual([99, 100]);
});

test('an hour that nobody saw end is not written down by what is hot later', async () => {
  expect(await recorded(100 * HOUR_MS + 16 * MINUTE_MS)).toEqual([]);
});
