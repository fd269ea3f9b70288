import type { RoleFlags } from '../../workers/run-role.ts';
import { RefreshControl } from '../observe/refresh-control.ts';
import { loaderNamed } from './named-loaders.ts';
import { withSession } from './session.ts';

export type PauseFlags = RoleFlags & { readonly json?: boolean };

/** Stops or starts the refreshing of a loader in the whole fleet, and says so. */
export async function runPause(
  act: 'pause' | 'resume',
  name: string,
  flags: PauseFlags,
): Promise<void> {
  const loader = await loaderNamed(name, flags);
  const changed = await withSession(flags, ({ servers: { queue, clock }, keys }) =>
    new RefreshControl({ queue, keys, clock })[act](loader),
  );
  const state = act === 'pause' ? 'paused' : 'active';
  const text = `refreshing of ${name} is ${state}${changed ? '' : ', as it was before'}`;
  process.stdout.write(`${flags.json ? JSON.stringify({ loader: name, state, changed }) : text}\n`);
}
