import type { WarmUp } from './warm-up.ts';

/** What `createScheduler` takes besides its own options and the loaders. */
export interface WithWarmUps {
  /** The plans that it starts and carries out. @defaultValue none */
  readonly warmUps?: readonly WarmUp[];
}
