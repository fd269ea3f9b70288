import { type RoleOptions, resolveRole } from '../../src/config/options.ts';
import { checkServer } from '../../src/redis/server-check.ts';
import type { DashboardContext } from '../context.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean | 'warning';
  readonly message: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly fix: string;
}

/** Whether both servers suit their roles. */
export async function checkServers(
  { servers }: DashboardContext,
  options: RoleOptions,
): Promise<readonly Check[]> {
  const { redis } = resolveRole(options);
  const lists = await Promise.all(
    (['cache', 'queue'] as const).map(async (role): Promise<readonly Check[]> => {
      const name = `${role} Redis`;
      const problems = await checkServer(servers[role], role, redis);
      if (problems.length === 0)
        return [{ name, ok: true, message: 'It suits its role.', fix: '' }];
      return problems.map(({ message }) => ({ name, ok: false, message, fix: '' }));
    }),
  );
  return lists.flat();
}
