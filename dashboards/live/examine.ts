import { resolveRole } from '../../src/config/options.ts';
import type { Check } from '../../src/doctor/check.ts';
import { runDoctor } from '../../src/doctor/run-doctor.ts';
import type { DashboardContext } from '../context.ts';
import type { DashboardOptions } from '../options.ts';

/** What `everwarm doctor` looks at. */
export function examine(
  { servers, keys }: DashboardContext,
  options: DashboardOptions,
): Promise<readonly Check[]> {
  const { loaders, warmUps = [] } = options;
  const { cache, queue } = servers;
  const { redis } = resolveRole(options);
  const isProduction = process.env.NODE_ENV === 'production';
  return runDoctor({ cache, queue, redis, keys, loaders, warmUps, isProduction });
}
