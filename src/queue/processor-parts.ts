import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { Slots } from '../core/slots.ts';
import type { FencedLoad } from '../load/fenced-load.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Keys } from '../redis/keys.ts';
import type { Tracker } from '../redis/tracker.ts';

/** What the jobs of one loader are run with, of refreshes and of warm-ups. */
export interface ProcessorParts {
  readonly loader: AnyLoader;
  readonly keys: Keys;
  readonly fenced: FencedLoad;
  readonly tracker: Tracker;
  readonly clock: Clock;
  readonly events: Events;
  readonly concurrency: number;
  /** Loader calls at a time, of both. */
  readonly loading: Slots;
  readonly random: () => number;
}

/** Keys under way for each loader call at a time: slots need not wait for round trips to Redis. */
export const KEYS_PER_SLOT = 3;
