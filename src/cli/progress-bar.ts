import type { WarmProgress } from '../warm/warm-progress.ts';

/** What a progress bar shows. */
export type Shown = Omit<WarmProgress, 'position'>;

const WIDTH = 24;
const REDRAW_MS = 200;
const LINE_EVERY_MS = 5_000;
const NUMBERS = new Intl.NumberFormat('en');

/** One line of a run's progress. */
export function progressLine(shown: Shown, nowMs: number, bar: 'bar' | 'no bar' = 'bar'): string {
  const { done, skipped, failed, total, keysPerSecond, expectedEndAtMs } = shown;
  const finished = done + skipped + failed;
  const counts = [
    total === null ? `${NUMBERS.format(finished)} keys` : share(finished, total, bar),
    `${NUMBERS.format(done)} loaded`,
    `${NUMBERS.format(skipped)} fresh`,
    `${NUMBERS.format(failed)} failed`,
    `${NUMBERS.format(Math.round(keysPerSecond))}/s`,
  ];
  if (expectedEndAtMs !== null && finished !== total) {
    counts.push(
      `${NUMBERS.format(Math.max(0, Math.ceil((expectedEndAtMs - nowMs) / 1_000)))} s left`,
    );
  }
  return counts.join('  ');
}

function share(finished: number, total: number, bar: 'bar' | 'no bar'): string {
  const part = total === 0 ? 1 : Math.min(1, finished / total);
  const filled = Math.round(part * WIDTH);
  const drawn = bar === 'bar' ? `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ` : '';
  return `${drawn}${Math.floor(part * 100)} %  ${NUMBERS.format(finished)} of ${NUMBERS.format(total)}`;
}

/** Shows progress: on a terminal a bar in one line that changes, else numbers every five seconds. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs: number;
  #isOpen = false;

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
    // A bar is there at once; of a short run in a pipe its end is enough.
    this.#shownAtMs = stream.isTTY ? 0 : Date.now();
  }

  show(shown: Shown): void {
    const nowMs = Date.now();
    const { isTTY } = this.#stream;
    if (nowMs - this.#shownAtMs < (isTTY ? REDRAW_MS : LINE_EVERY_MS)) return;
    this.#shownAtMs = nowMs;
    this.#write(this.#line(shown, nowMs));
  }

  /** Shows the last state, and leaves it there. */
  end(shown: Shown): void {
    this.#write(this.#line(shown, Date.now()));
    if (this.#isOpen) this.#stream.write('\n');
    this.#isOpen = false;
  }

  /** Prints a line of its own. */
  say(text: string): void {
    this.#stream.write(`${this.#isOpen ? '\r\u001b[K' : ''}${text}\n`);
    this.#isOpen = false;
  }

  #line(shown: Shown, nowMs: number): string {
    return progressLine(shown, nowMs, this.#stream.isTTY ? 'bar' : 'no bar');
  }

  #write(line: string): void {
    this.#isOpen = this.#stream.isTTY;
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }
}
