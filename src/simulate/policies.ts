import { Everwarm, type EverwarmSettings } from './everwarm.ts';
import { afterShare, never, OnRead, perReadXfetch } from './on-read.ts';
import { Oracle } from './oracle.ts';
import type { Policy } from './policy.ts';
import { seededRandom } from './random.ts';
import { Timers } from './timers.ts';
import type { Values } from './values.ts';

export interface PolicySettings extends EverwarmSettings {
  /** Fixed thresholds to compare with. */
  readonly thresholds: readonly number[];
  /** Waste budgets to compare with. */
  readonly wasteBudgets: readonly number[];
}

export type MakePolicy = (values: Values) => Policy;

const XFETCH_SEED = 1;

/** Every policy by its name, in the order in which they are shown. */
export function policies(
  keys: readonly string[],
  settings: PolicySettings,
): ReadonlyMap<string, MakePolicy> {
  const xfetch = (beta: number) => perReadXfetch(beta, seededRandom(XFETCH_SEED));
  const everwarm =
    (differing: Partial<EverwarmSettings>): MakePolicy =>
    (values) =>
      new Everwarm(values, keys, { ...settings, ...differing });
  const others = [
    ...settings.wasteBudgets.map((wasteBudget) => {
      return [`everwarm/${wasteBudget}`, everwarm({ wasteBudget })] as const;
    }),
    ...settings.thresholds.map((threshold) => {
      return [`everwarm@${threshold}`, everwarm({ threshold, wasteBudget: null })] as const;
    }),
  ];
  return new Map<string, MakePolicy>([
    ['plain', (values) => new OnRead(values, never)],
    ['staleWhileRevalidate', (values) => new OnRead(values, never, 1)],
    ['refreshAt80', (values) => new OnRead(values, afterShare(0.8))],
    ['refreshAt90', (values) => new OnRead(values, afterShare(0.9))],
    ['xfetch1', (values) => new OnRead(values, xfetch(1))],
    ['xfetch2', (values) => new OnRead(values, xfetch(2))],
    ['timer', (values) => new Timers(values)],
    ['everwarm', everwarm({})],
    ...others,
    ['oracle', (values) => new Oracle(values)],
  ]);
}
