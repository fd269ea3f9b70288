const DAY_MS = 86_400_000;

/**
 * The local time of an IANA zone. A *wall* time is what its clocks show, as if that were UTC, in ms: it
 * can be reckoned with, but stands for no instant in a gap, and for two in an overlap.
 */
export class Zone {
  readonly name: string;
  readonly #offsets: Intl.DateTimeFormat;

  /** @throws RangeError for a zone that does not exist */
  constructor(name: string) {
    this.name = name;
    this.#offsets = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** What its clocks are ahead of UTC at that instant. */
  offsetMs(atMs: number): number {
    const parts = this.#offsets.formatToParts(atMs);
    const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes, seconds] = OFFSET.exec(text) ?? [];
    const aheadMs =
      1_000 * (3_600 * Number(hours ?? 0) + 60 * Number(minutes ?? 0) + Number(seconds ?? 0));
    return sign === '-' ? -aheadMs : aheadMs;
  }

  wallMs(atMs: number): number {
    return atMs + this.offsetMs(atMs);
  }

  /** The instant at which its clocks show that: the first of two in an overlap, the end of a gap. */
  instantMs(wallMs: number): number {
    const before = this.offsetMs(wallMs - DAY_MS);
    const after = this.offsetMs(wallMs + DAY_MS);
    const instants = [wallMs - before, wallMs - after].filter(
      (atMs) => this.wallMs(atMs) === wallMs,
    );
    if (instants.length > 0) return Math.min(...instants);
    return this.#changeMs(wallMs - DAY_MS, wallMs + DAY_MS);
  }

  /** As `2026-03-29T03:00+02:00`: of two equal local times the offset tells which. */
  text(atMs: number): string {
    const offsetMs = this.offsetMs(atMs);
    const ahead = new Date(Math.abs(offsetMs)).toISOString().slice(11, 16);
    const wall = new Date(atMs + offsetMs).toISOString().slice(0, 16);
    return `${wall}${offsetMs < 0 ? '-' : '+'}${ahead}`;
  }

  /** When the offset changed between two instants of different ones. */
  #changeMs(fromMs: number, toMs: number): number {
    const offsetMs = this.offsetMs(fromMs);
    let low = fromMs;
    let high = toMs;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle) === offsetMs) low = middle;
      else high = middle;
    }
    return high;
  }
}

/** GMT, GMT+01:00, and of former centuries GMT-03:06:28. */
const OFFSET = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/;
