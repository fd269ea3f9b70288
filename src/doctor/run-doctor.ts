import type { RedisTargets } from '../config/redis-option.ts';
import { messageOf } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { LoaderRegistry } from '../loaders/registry.ts';
import { readLoaderStatus } from '../observe/loader-status.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { WarmUpRuns } from '../redis/warm-up-runs.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { type Check, failure } from './check.ts';
import { clockCheck } from './clock-check.ts';
import { clusterCheck } from './cluster-check.ts';
import { loaderChecks } from './loader-checks.ts';
import { planChecks } from './plan-checks.ts';
import {
  type LookedAt,
  lookAtServer,
  memoryCheck,
  separationCheck,
  serverChecks,
} from './server-checks.ts';

export interface DoctorParts {
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  /** What the two were opened with, for messages. */
  readonly redis: RedisTargets;
  readonly keys: Keys;
  readonly loaders: readonly AnyLoader[];
  readonly warmUps: readonly WarmUp[];
  /** Whether what is only fit for development counts. */
  readonly isProduction: boolean;
}

/**
 * Looks at servers, loaders, roles and warm-ups, and says of each whether it is as it should be; changes
 * nothing. Never rejects: what cannot be looked at is a failed check. Of a server that does not answer
 * nothing else is checked.
 */
export async function runDoctor(parts: DoctorParts): Promise<readonly Check[]> {
  const [cache, queue] = await Promise.all([
    lookAtServer('cache', parts.cache, parts.redis),
    lookAtServer('queue', parts.queue, parts.redis),
  ]);
  const found = [cache.found, queue.found].filter((one) => one !== null);
  const checks = [cache.check, queue.check, ...found.flatMap(serverChecks)];
  if (cache.found && queue.found) checks.push(separationCheck(cache.found, queue.found, parts));
  if (queue.found) checks.push(memoryCheck(queue.found));
  checks.push(...(await Promise.all(found.map((one) => clusters(one, parts)))).flat());
  if (found.length > 0) checks.push(clockCheck(found));
  if (queue.found) checks.push(...(await loadersAndPlans(parts, queue.found.offsetMs)));
  return checks;
}

function clusters(found: LookedAt, parts: DoctorParts): Promise<readonly Check[]> {
  return tried(`${found.role} cluster`, async () => {
    const check = await clusterCheck(found, parts);
    return check === null ? [] : [check];
  });
}

async function loadersAndPlans(parts: DoctorParts, offsetMs: number): Promise<readonly Check[]> {
  const { queue, keys, warmUps } = parts;
  const clock = { now: (): number => Date.now() + offsetMs };
  return tried('loaders', async () => {
    const loaders = new LoaderRegistry(parts.loaders);
    const ofLoaders = [...loaders].map((loader) =>
      tried(`loader ${loader.name}`, async () =>
        loaderChecks(loader, await readLoaderStatus({ queue, keys, clock }, loader)),
      ),
    );
    const runs = new WarmUpRuns(queue, keys);
    const ofPlans = planChecks({ loaders, warmUps, runs, nowMs: clock.now() });
    return (await Promise.all([...ofLoaders, ofPlans])).flat();
  });
}

async function tried(
  name: string,
  look: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return await look();
  } catch (error) {
    return [
      failure(name, `could not be checked: ${messageOf(error)}`, 'mend what the message says'),
    ];
  }
}
