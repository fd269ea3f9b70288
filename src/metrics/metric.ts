import type { Histogram } from '../core/histogram.ts';

/** Which processes have it. */
export type MetricsRole = 'cache' | 'worker' | 'scheduler' | 'dashboard';

/** One metric as it is published; docs/metrics.md is held against all of them. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** What each label may be is bounded by the application's code: never a key. */
  readonly labels: readonly string[];
  readonly roles: readonly MetricsRole[];
  /** Several roles tell the same count: it is the highest of theirs, not their sum. */
  readonly isOfFleet?: true;
  /** Values of the labels after the first one whose counts start at 0, before the first event. */
  readonly from?: readonly (readonly string[])[];
  /** Upper bounds, of a histogram. */
  readonly bounds?: readonly number[];
}

type Shape = Pick<Metric, 'labels' | 'roles' | 'help' | 'from' | 'isOfFleet'>;

export function counter(name: string, shape: Shape): Metric {
  return { name, type: 'counter', ...shape };
}

export function gauge(name: string, shape: Shape): Metric {
  return { name, type: 'gauge', ...shape };
}

export function histogram(name: string, shape: Shape & { bounds: readonly number[] }): Metric {
  return { name, type: 'histogram', ...shape };
}

/** One series of a metric: its labels' values, in the order of their names. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number | Histogram;
}
