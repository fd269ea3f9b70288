export interface ReplayProgress {
  /** Of the replay's time, 0 to 1. */
  readonly share: number;
  readonly reads: number;
  readonly waits: Readonly<Record<string, number>>;
}

/** Where the line goes: stderr, or a test's array. */
export interface LineSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const LINE_EVERY_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

export function formatProgress({ share, reads, waits }: ReplayProgress): string {
  const percent = `${Math.floor(Math.min(share, 1) * 100)} %`.padStart(5);
  const sides = Object.entries(waits).map(([side, count]) => `${side} ${count}`);
  return `${percent}  ${reads} reads a side  waited for the origin: ${sides.join(', ')}`;
}

/** One line that is rewritten on a terminal; a line every ten seconds where there is none. */
export class ProgressLine {
  readonly #sink: LineSink;
  #nextLineAt = performance.now() + LINE_EVERY_MS;
  #isShown = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  show(progress: ReplayProgress): void {
    if (this.#sink.isTTY) {
      this.#isShown = true;
      this.#sink.write(`${CLEAR_LINE}${formatProgress(progress)}`);
      return;
    }
    if (performance.now() < this.#nextLineAt) return;
    this.#nextLineAt += LINE_EVERY_MS;
    this.#sink.write(`${formatProgress(progress)}\n`);
  }

  clear(): void {
    if (this.#isShown) this.#sink.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
