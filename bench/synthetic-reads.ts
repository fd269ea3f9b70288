import { seededRandom } from '../src/simulate/random.ts';

/** One read of a made-up trace. */
export interface SyntheticRead {
  readonly tMs: number;
  readonly key: number;
}

export interface SyntheticTrace {
  readonly reads: number;
  readonly keys: number;
  /** Share of reads of the n-th key: ~ 1/n^exponent. */
  readonly exponent: number;
  /** Mean, over all keys. */
  readonly readsPerSecond: number;
  readonly seed: number;
}

/** A key is read only while it is on, and off for so many times as long. */
const OFF_TO_ON = 4;

/** Independent reads at a steady rate, keys by Zipf's law: the same ones for the same seed. */
export function* zipfReads(trace: SyntheticTrace): Generator<SyntheticRead> {
  const random = seededRandom(trace.seed);
  const keyOf = zipf(trace);
  const meanGapMs = 1_000 / trace.readsPerSecond;
  let tMs = 0;
  for (let read = 0; read < trace.reads; read++) {
    tMs += gapMs(random, meanGapMs);
    yield { tMs: Math.round(tMs), key: keyOf(random()) };
  }
}

/**
 * As `zipfReads`, but every key is read in bursts: on for `onMs` on average, then off for four times as
 * long; both spans are drawn anew each time. Reads of keys that are off go to none.
 */
export function* burstyReads(
  trace: SyntheticTrace & { readonly onMs: number },
): Generator<SyntheticRead> {
  const random = seededRandom(trace.seed);
  const keyOf = zipf(trace);
  const meanGapMs = 1_000 / (trace.readsPerSecond * (1 + OFF_TO_ON));
  const isOn = new Uint8Array(trace.keys);
  const changesAtMs = Float64Array.from({ length: trace.keys }, () =>
    gapMs(random, OFF_TO_ON * trace.onMs),
  );
  let tMs = 0;
  for (let read = 0; read < trace.reads; ) {
    tMs += gapMs(random, meanGapMs);
    const key = keyOf(random());
    while ((changesAtMs[key] as number) <= tMs) {
      isOn[key] = 1 - (isOn[key] as number);
      const lengthMs = isOn[key] === 1 ? trace.onMs : OFF_TO_ON * trace.onMs;
      changesAtMs[key] = (changesAtMs[key] as number) + gapMs(random, lengthMs);
    }
    if (isOn[key] === 0) continue;
    read++;
    yield { tMs: Math.round(tMs), key };
  }
}

/** Exponentially distributed, as between independent events. */
function gapMs(random: () => number, meanMs: number): number {
  return -Math.log(1 - random()) * meanMs;
}

/** Turns uniform numbers in [0, 1) into keys from 0 on. */
function zipf({ keys, exponent }: SyntheticTrace): (uniform: number) => number {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let key = 0; key < keys; key++) {
    sum += (key + 1) ** -exponent;
    sums[key] = sum;
  }
  return (uniform) => {
    const target = uniform * sum;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
