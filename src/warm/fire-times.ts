import { Cron } from 'croner';
import { InvalidOptionError, messageOf } from '../core/errors.ts';
import { Zone } from './zone.ts';

/**
 * When a cron pattern of five fields fires in a zone, across its clock changes. Each local time that the
 * pattern names comes once a local day: in an overlap the first time, in a gap at the gap's end. Patterns
 * with `*` for the hour go by elapsed time instead: an hourly one fires once in every real hour.
 */
export class FireTimes {
  readonly zone: Zone;
  /** On the zone's clock, or on UTC's for wall times: croner's own rules for lists and steps differ. */
  readonly #cron: Cron;
  readonly #isHourly: boolean;

  constructor(pattern: string, zone: Zone) {
    this.zone = zone;
    this.#isHourly = HOURLY.test(pattern.trim());
    const clock = this.#isHourly ? { timezone: zone.name } : { utcOffset: 0 };
    this.#cron = new Cron(pattern, { ...clock, mode: '5-part', paused: true });
  }

  /** The first fire after that instant; null when there is none any more. */
  next(afterMs: number): number | null {
    if (this.#isHourly) return this.#cronNext(afterMs);
    for (let wallMs = this.#cronNext(this.zone.wallMs(afterMs)); wallMs !== null; ) {
      const atMs = this.zone.instantMs(wallMs);
      if (atMs > afterMs) return atMs;
      wallMs = this.#cronNext(wallMs);
    }
    return null;
  }

  /** The last fire until that instant, itself included; null when there was none. */
  previous(untilMs: number): number | null {
    if (this.#isHourly) return this.#cronPrevious(untilMs);
    // After an overlap's change clocks have shown later times than they show now.
    const aheadMs = Math.max(this.zone.offsetMs(untilMs), this.zone.offsetMs(untilMs - DAY_MS));
    for (let wallMs = this.#cronPrevious(untilMs + aheadMs); wallMs !== null; ) {
      const atMs = this.zone.instantMs(wallMs);
      if (atMs <= untilMs) return atMs;
      wallMs = this.#cronPrevious(wallMs - 1);
    }
    return null;
  }

  #cronNext(afterMs: number): number | null {
    return this.#cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  }

  #cronPrevious(untilMs: number): number | null {
    // Croner leaves out the instant itself, and counts in whole seconds.
    const afterMs = (Math.floor(untilMs / 1_000) + 1) * 1_000;
    return this.#cron.previousRuns(1, new Date(afterMs))[0]?.getTime() ?? null;
  }
}

const DAY_MS = 86_400_000;
const HOURLY = /^\S+\s+\*(\/1)?\s/;
const FIELDS = 'a cron pattern of 5 fields (minute hour day month weekday)';

/**
 * The fire times of an option.
 *
 * @throws InvalidOptionError for what is no pattern of five fields, or one that never fires
 */
export function fireTimesOf(pattern: unknown, zone: Zone, path: string): FireTimes {
  if (typeof pattern !== 'string' || pattern.trim().split(/\s+/).length !== 5) {
    throw new InvalidOptionError(path, pattern, `must be ${FIELDS}`);
  }
  const times = parsed(pattern, zone, path);
  if (times.next(Date.now()) !== null) return times;
  throw new InvalidOptionError(path, pattern, 'never fires: no such day comes');
}

function parsed(pattern: string, zone: Zone, path: string): FireTimes {
  try {
    return new FireTimes(pattern, zone);
  } catch (error) {
    throw new InvalidOptionError(path, pattern, `must be ${FIELDS}: ${messageOf(error)}`);
  }
}

/** @throws InvalidOptionError for a zone that does not exist */
export function zoneOf(name: unknown, path: string): Zone {
  try {
    if (typeof name === 'string' && name !== '') return new Zone(name);
  } catch {
    // Named below.
  }
  throw new InvalidOptionError(path, name, "must be an IANA time zone, such as 'Europe/Berlin'");
}
