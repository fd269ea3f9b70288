import { Histogram } from '../core/histogram.ts';
import type { Metric, Sample } from './metric.ts';

/** Labels come from code, not from keys: this many series of one metric are a mistake, which must not grow. */
const MOST_SERIES = 2_000;

/** The series of one metric in one role. */
export class Family {
  readonly metric: Metric;
  /** Told each observation of a histogram. */
  onObserve: ((labels: readonly string[], value: number) => void) | null = null;
  readonly #series = new Map<string, { readonly labels: readonly string[]; value: number }>();
  readonly #histograms = new Map<string, { labels: readonly string[]; value: Histogram }>();

  constructor(metric: Metric) {
    this.metric = metric;
  }

  add(labels: readonly string[], by = 1): void {
    const series = this.#of(labels);
    if (series) series.value += by;
  }

  set(labels: readonly string[], value: number): void {
    const series = this.#of(labels);
    if (series) series.value = value;
  }

  observe(labels: readonly string[], value: number): void {
    const key = keyOf(labels);
    let series = this.#histograms.get(key);
    if (!series) {
      if (this.#histograms.size >= MOST_SERIES) return;
      series = { labels, value: new Histogram(this.metric.bounds ?? []) };
      this.#histograms.set(key, series);
    }
    series.value.observe(value);
    this.onObserve?.(labels, value);
  }

  samples(): readonly Sample[] {
    return [...this.#series.values(), ...this.#histograms.values()];
  }

  #of(labels: readonly string[]): { value: number } | null {
    const key = keyOf(labels);
    const known = this.#series.get(key);
    if (known) return known;
    if (this.#series.size >= MOST_SERIES) return null;
    const series = { labels, value: 0 };
    this.#series.set(key, series);
    return series;
  }
}

/** Names have no line feed; where one does, two series may be one. */
export function keyOf(labels: readonly string[]): string {
  return labels.length === 1 ? (labels[0] as string) : labels.join('\n');
}
