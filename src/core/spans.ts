/** What a span tells of its work. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** What is told in a span once its work is over. */
export interface Told {
  readonly attributes: SpanAttributes;
  /** Why it came to nothing, if it did. */
  readonly error?: unknown;
}

/** Work in spans, by whatever traces: who does it need not have that package, nor its types. */
export interface Spans {
  /** Answers what `run` does, of which the span says what `tell` makes of it; what `run` throws is told in it, and thrown. */
  inSpan<T>(name: string, run: () => Promise<T>, tell: (result: T) => Told): Promise<T>;
}
