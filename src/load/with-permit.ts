import type { Cancellation } from '../core/cancellation.ts';
import { isRefusal, type Refusal } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded } from '../loaders/run-loader.ts';
import type { PermitAsked } from './load-run.ts';
import type { Permits } from './permits.ts';

interface PermittedCall {
  readonly loader: AnyLoader | undefined;
  readonly asked: PermitAsked;
  readonly cancellation: Cancellation;
}

/** One loader call under the permit of its origin, which it ends; at once where the loader needs none. */
export async function withPermit(
  permits: Permits | undefined,
  { loader, asked, cancellation }: PermittedCall,
  load: () => Promise<readonly Loaded[]>,
): Promise<readonly Loaded[] | Refusal> {
  if (!permits || !loader?.origin) return load();
  const { maxWaitMs, as: reason } = asked;
  const permit = await permits.take(loader, { maxWaitMs, reason, cancellation });
  if (isRefusal(permit)) return permit;
  let loaded: readonly Loaded[] = [];
  try {
    loaded = await load();
    return loaded;
  } finally {
    permit.end(loaded);
  }
}
