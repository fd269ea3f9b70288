import { InvalidOptionError } from '../core/errors.ts';
import { WarmAttempt } from './warm-attempt.ts';
import type { WarmProgress } from './warm-progress.ts';
import type { WarmRequest, WarmRunOptions, WarmRunParts } from './warm-request.ts';

export type { WarmProgress } from './warm-progress.ts';
export type { WarmRequest, WarmRunOptions, WarmRunParts } from './warm-request.ts';

const RUN_ID = /^[A-Za-z0-9_.-]{1,128}$/;
const MOST_PRIORITY = 2_097_151;

/** Streams keys into their loader's queue, a bounded number at a time, and follows what workers make of them. */
export class WarmRun {
  readonly #parts: WarmRunParts;

  constructor(parts: WarmRunParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when every key is loaded, skipped or failed, or at the abort.
   *
   * @throws EverwarmError WARM_FAILED when the keys cannot be read on, REDIS_UNAVAILABLE when a server has
   * been away for a minute; `position` of the last progress is where the next attempt goes on
   */
  async run(request: WarmRequest, options: WarmRunOptions = {}): Promise<WarmProgress> {
    check(request);
    return new WarmAttempt(this.#parts, request, options).run();
  }
}

function check({ runId, priority, skip }: WarmRequest): void {
  if (typeof runId !== 'string' || !RUN_ID.test(runId)) {
    throw new InvalidOptionError('runId', runId, `must match ${RUN_ID.source}`);
  }
  if (!Number.isSafeInteger(skip) || skip < 0) {
    throw new InvalidOptionError('skip', skip, 'must be a whole number of at least 0');
  }
  if (priority === null) return;
  if (!Number.isSafeInteger(priority) || priority < 1 || priority > MOST_PRIORITY) {
    throw new InvalidOptionError('priority', priority, `must be from 1 to ${MOST_PRIORITY}`);
  }
}
