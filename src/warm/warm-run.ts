import type { WarmProgress } from './warm-progress.ts';
import type { WarmRequest, WarmRunOptions, WarmRunParts } from './warm-request.ts';

export type { WarmRequest } from './warm-request.ts';

export class WarmRun {
  constructor(parts: WarmRunParts) {
    void parts;
  }
  async run(request: WarmRequest, _options: WarmRunOptions = {}): Promise<WarmProgress> {
    let done = 0;
    for await (const _ of request.keys) done++;
    return {
      position: done,
      done,
      skipped: 0,
      failed: 0,
      total: null,
      keysPerSecond: 0,
      expectedEndAtMs: null,
    };
  }
}
