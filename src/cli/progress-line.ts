/** Where the line goes: stderr, or a test's array. */
export interface LineSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001b[2K';

/** Shows how far something has come, on a terminal only, in one line that is rewritten. */
export function progressLine(sink: LineSink): { show(share: number): void; clear(): void } {
  let shownAtMs = performance.now();
  let isShown = false;
  return {
    show(share) {
      const nowMs = performance.now();
      if (!sink.isTTY || nowMs - shownAtMs < EVERY_MS) return;
      shownAtMs = nowMs;
      isShown = true;
      sink.write(`${CLEAR_LINE}${Math.floor(100 * Math.min(share, 1))} %`);
    },
    clear() {
      if (isShown) sink.write(CLEAR_LINE);
      isShown = false;
    },
  };
}
