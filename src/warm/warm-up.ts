import type { RoleOptions } from '../config/options.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { PlanTimes } from './plan-times.ts';
import type { Source } from './warm-keys.ts';
import type { WarmUpStatus } from './warm-up-status.ts';
import type { Zone } from './zone.ts';

/** A validated plan: what `createScheduler` takes. */
export interface WarmUp {
  readonly name: string;
  readonly loader: AnyLoader;
  readonly zone: Zone;
  readonly times: PlanTimes;
  readonly sources: readonly Source[];
  readonly spreadOverMs: number;
  readonly ttlMs: number | null;
  readonly priority: number | null;
  readonly catchUpMs: number;
  readonly overlap: 'skip' | 'queue';
  /**
   * Where it is: its runs under way, how the last one ended, when the next one starts. Over a connection of
   * its own, for as long as that takes; `scheduler.warmUps()` has one already.
   *
   * @param options - where its runs are; by default as for every role
   * @throws EverwarmError REDIS_UNAVAILABLE
   */
  status(options?: RoleOptions): Promise<WarmUpStatus>;
}

/** Whether a value is a plan made by `defineWarmUp`, of this copy of Everwarm or another. */
export function isWarmUp(value: unknown): value is WarmUp {
  if (value === null || typeof value !== 'object') return false;
  const { name, sources, times } = value as Partial<WarmUp>;
  return typeof name === 'string' && Array.isArray(sources) && typeof times === 'object';
}
