import { expect, test } from 'vitest';
import { WarmLedger } from '../../../src/warm/warm-ledger.ts';

/** A ledger of 100 keys of which 25 were through within the first second. */
function quarterDone(spreadOverMs: number): { ledger: WarmLedger; nowMs: number } {
  let nowMs = 0;
  const clock = { now: () => nowMs } as ConstructorParameters<typeof WarmLedger>[0];
  const ledger = new WarmLedger(clock, { skip: 0, total: 100, spreadOverMs });
  nowMs = 1_000;
  ledger.begin(25, { skipped: 25, jobs: 0 });
  return { ledger, nowMs };
}

test('a run is expected to go on at the rate so far', () => {
  const { ledger, nowMs } = quarterDone(0);
  expect(ledger.progress).toMatchObject({ position: 25, expectedEndAtMs: nowMs + 3_000 });
});

test('a run that is spread is expected to take its time, however fast it begins', () => {
  const { ledger, nowMs } = quarterDone(40_000);
  expect(ledger.progress).toMatchObject({ position: 25, expectedEndAtMs: nowMs + 30_000 });
});
