import type { LoadRef } from '../load/locked-ref.ts';
import type { AccessRecorder } from './access-recorder.ts';
import type { MemoryTier } from './memory-tier.ts';

/** A key to read: where it is, who counts it, and where this process keeps it. */
export type ReadRef = LoadRef & {
  readonly recorder: AccessRecorder | null;
  readonly tier: MemoryTier | null;
};
