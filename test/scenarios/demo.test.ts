import { expect, it } from 'vitest';
import { firstSeconds, loadResolveTimes, recordedReads } from '../../examples/demo/trace.ts';
import { demo } from '../helpers/demo.ts';
import { simulate } from '../helpers/simulating.ts';

const SIDE = {
  reads: expect.any(Number),
  waits: expect.any(Number),
  hotReads: expect.any(Number),
  hotWaits: expect.any(Number),
  p50Ms: expect.any(Number),
  p99Ms: expect.any(Number),
  p999Ms: expect.any(Number),
  originLoads: expect.any(Number),
};
const SECONDS = 120;
const SPEED = 10;
const TTL_MS = 60_000;
/** As the demo's origin takes. */
const LEAST_LOAD_MS = 50;

/** What the simulator makes of the demo's reads: at the demo's speed, whose ticks and flushes are not scaled. */
function simulated(): ReturnType<typeof simulate> {
  const reads = firstSeconds(recordedReads(), SECONDS);
  const measured = loadResolveTimes();
  const loadMs = (keyId: number): number =>
    Math.max(LEAST_LOAD_MS, measured.get(keyId) ?? 0) / SPEED;
  const rows = reads.map(({ tMs, keyId }) => `${tMs / SPEED},${keyId}`);
  return simulate(['t_ms,key_id', ...rows].join('\n'), {
    ttlMs: TTL_MS / SPEED,
    loadMs: LEAST_LOAD_MS / SPEED,
    loadTimes: new Map(reads.map(({ keyId }) => [String(keyId), loadMs(keyId)])),
    warmUpTtls: 0,
  });
}

function expectWithin(share: number, actual: number, expected: number): void {
  expect(Math.abs(actual - expected) / expected).toBeLessThan(share);
}

it('replays the same reads on both sides, and every load is one that somebody waited for or a refresh', async () => {
  const args = ['--seconds', String(SECONDS), '--speed', String(SPEED), '--json'];
  const { plain, everwarm } = JSON.parse(await demo('main.js', args));

  expect(plain).toEqual(SIDE);
  expect(everwarm).toEqual({ ...SIDE, refreshes: expect.any(Number) });
  expect(everwarm.reads).toBe(plain.reads);
  expect(everwarm.hotReads).toBe(plain.hotReads);
  expect(plain.reads).toBeGreaterThan(1_000);
  expect(everwarm.refreshes).toBeGreaterThan(0);
  expect(everwarm.originLoads).toBeLessThanOrEqual(everwarm.waits + everwarm.refreshes);
  expect(plain.originLoads).toBeLessThanOrEqual(plain.waits);

  const results = simulated();
  for (const [name, side] of Object.entries({ plain, everwarm })) {
    const { waitPercent, originLoads } = results.get(name) ?? {};
    expectWithin(0.2, side.waits, ((waitPercent ?? 0) / 100) * side.reads);
    expectWithin(0.2, side.originLoads, originLoads ?? 0);
  }
});
