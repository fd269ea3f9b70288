import { seededRandom } from '../../src/simulate/random.ts';
import type { Read } from './trace.ts';

const SECONDS = 300;
const KEYS = 600;
/** Reads per second when the day begins, and five minutes later. */
const FIRST_RATE = 2;
const LAST_RATE = 40;
/** The k-th most popular key is read 1/k^0.9 as often as the first: about what production caches see. */
const ZIPF_EXPONENT = 0.9;
/** How many places a key's popularity moves from one day to the next, at most. */
const DRIFT = 40;

/**
 * Five minutes in which an application's users come back: the rate of reads rises twentyfold. The same
 * reads in each run; yesterday's are others, of nearly the same keys.
 */
export function morning(day: 'yesterday' | 'today'): readonly Read[] {
  const random = seededRandom(day === 'today' ? 2 : 1);
  const keyAt = keysByPopularity(random);
  const reads: Read[] = [];
  let tMs = 0;
  while (tMs < SECONDS * 1_000) {
    const rate = FIRST_RATE + ((LAST_RATE - FIRST_RATE) * tMs) / (SECONDS * 1_000);
    tMs += (-Math.log(random()) / rate) * 1_000;
    reads.push({ tMs, keyId: keyAt(random()) });
  }
  return reads.filter((read) => read.tMs < SECONDS * 1_000);
}

/** The keys read most on a morning, the most read first. */
export function hottestOf(reads: readonly Read[], count: number): readonly number[] {
  const counts = new Map<number, number>();
  for (const { keyId } of reads) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
  const hottest = [...counts].sort(([, a], [, b]) => b - a).slice(0, count);
  return hottest.map(([keyId]) => keyId);
}

/** Turns uniform numbers into keys, the popular ones more often. */
function keysByPopularity(random: () => number): (u: number) => number {
  const order = Array.from({ length: KEYS }, (_, keyId) => ({
    keyId,
    place: keyId + random() * DRIFT,
  }));
  order.sort((a, b) => a.place - b.place);
  const sums: number[] = [];
  for (let rank = 1; rank <= KEYS; rank++) {
    sums.push((sums.at(-1) ?? 0) + rank ** -ZIPF_EXPONENT);
  }
  const all = sums.at(-1) ?? 0;
  return (u) => order[sums.findIndex((sum) => sum >= u * all)]?.keyId ?? 0;
}
