import {
  APP_NAMES,
  type AppName,
  type Command,
  createdAtOf,
  type FollowUp,
  LOADER_NAMES,
  type Loader,
  type LoaderName,
  type Scenario,
  type State,
  type Step,
  tokenOf,
} from './model.ts';
import { readerSteps } from './reader-steps.ts';
import { announceStep, beginScan, scanSteps, told, withApp } from './scan-steps.ts';

/** Every step that some actor, the server or the network may take next. */
export function stepsFrom(state: State, scenario: Scenario): Step[] {
  return [
    ...LOADER_NAMES.flatMap((name) => loaderSteps(state, name, scenario)),
    ...state.apps.flatMap((_, at) => appSteps(state, at, scenario)),
    ...readerSteps(state, scenario),
    ...faults(state),
  ];
}

function loaderSteps(state: State, name: LoaderName, scenario: Scenario): Step[] {
  const loader = state.loaders[name];
  const steps = lateSteps(name, loader);
  if (loader.phase === 'idle' && loader.loads < scenario.loads) {
    steps.push(...acquireSteps(state, name));
  } else if (loader.phase === 'lost') {
    const command = { do: 'release', token: tokenOf(name, loader), hasFailed: false } as const;
    const idle = (after: State): State => withLoader(after, name, { phase: 'idle' });
    steps.push({ name: `${name} releases`, command, next: idle });
  } else if (loader.phase === 'held') {
    steps.push(...heldSteps(state, name, scenario));
  } else if (loader.phase === 'unsure') {
    const command = commitOf(name, loader, scenario);
    steps.push({ name: `${name} commits again`, command, next: (after) => landed(after, name) });
  }
  return steps;
}

function lateSteps(name: LoaderName, { late }: Loader): Step[] {
  if (!late) return [];
  const forgotten = (after: State): State => withLoader(after, name, { late: null });
  const command = { do: 'commit', ...late } as const;
  return [{ name: `the delayed commit of ${name} arrives`, command, next: forgotten }];
}

function acquireSteps(state: State, name: LoaderName): Step[] {
  const token = tokenOf(name, state.loaders[name]);
  const held: Step['next'] = (after, { kind }) =>
    kind === 'acquired'
      ? withLoader(after, name, { phase: 'held', read: null, isVoid: false })
      : after;
  const ask = (seen: number, waits = false): Command => ({ do: 'acquire', token, seen, waits });
  const seen = state.entry === null ? 0 : createdAtOf(state.entry);
  const steps: Step[] = [{ name: `${name} acquires`, command: ask(0), next: held }];
  if (seen > 0) steps.push({ name: `${name} acquires to refresh`, command: ask(seen), next: held });
  if (state.lock?.startsWith('=')) {
    steps.push({ name: `${name} acquires after a wait`, command: ask(0, true), next: held });
  }
  if (state.left.losses > 0) {
    const lost = (after: State): State => losing(withLoader(after, name, { phase: 'lost' }));
    steps.push({ name: `${name} acquires, the reply is lost`, command: ask(seen), next: lost });
  }
  return steps;
}

function heldSteps(state: State, name: LoaderName, scenario: Scenario): Step[] {
  const loader = state.loaders[name];
  const token = tokenOf(name, loader);
  const steps: Step[] = [
    {
      name: `${name} renews`,
      command: { do: 'renew', token },
      next: (after, { kind }) =>
        kind === 'renewed'
          ? after
          : withLoader(after, name, { phase: 'lost', loads: loader.loads + 1 }),
    },
    {
      name: `${name} fails`,
      command: { do: 'release', token, hasFailed: true },
      next: (after) => landed(after, name),
    },
  ];
  const isEarly = scenario.tags === 'before reading';
  if (scenario.tags && !loader.isTagged && (isEarly || loader.read !== null)) {
    return [tagStep(name), ...steps];
  }
  if (loader.read === null) {
    const read = (after: State): State => withLoader(after, name, { read: after.db });
    return [{ name: `${name} reads ${state.db}`, command: null, next: read }, ...steps];
  }
  const command = commitOf(name, loader, scenario);
  steps.unshift({ name: `${name} commits`, command, next: (after) => landed(after, name) });
  if (state.left.losses === 0) return steps;
  const unsure = (after: State): State => losing(withLoader(after, name, { phase: 'unsure' }));
  const { entry, isVoid } = command;
  const late = { token, entry, isVoid };
  return [
    ...steps,
    { name: `${name} commits, the reply is lost`, command, next: unsure },
    {
      name: `${name} commits, the request is delayed`,
      command: null,
      next: (after) => withLoader(unsure(after), name, { late }),
    },
  ];
}

function tagStep(name: LoaderName): Step {
  const next = (after: State): State =>
    withLoader({ ...after, isIndexed: true }, name, { isTagged: true });
  return { name: `${name} puts its key under its tag`, command: null, next };
}

function commitOf(
  name: LoaderName,
  loader: Loader,
  scenario: Scenario,
): Extract<Command, { do: 'commit' }> {
  const isAbsent = loader.read === 0 && scenario.isAbsentAtFirst === true;
  const entry = isAbsent ? null : `${name}${loader.loads + 1}=${loader.read}`;
  return { do: 'commit', token: tokenOf(name, loader), entry, isVoid: loader.isVoid };
}

/** The flight has ended, whatever became of its load. */
function landed(state: State, name: LoaderName): State {
  const { flight, loads } = state.loaders[name];
  const ended = { phase: 'idle', read: null, isVoid: false, isTagged: false } as const;
  return withLoader(state, name, { ...ended, flight: flight + 1, loads: loads + 1 });
}

function appSteps(state: State, at: number, scenario: Scenario): Step[] {
  const name: AppName = APP_NAMES[at] ?? 'P';
  const app = state.apps[at];
  if (app?.phase === 'clean') return state.left.writes > 0 ? [writeStep(state, name, at)] : [];
  if (app?.phase === 'scanning') return scanSteps(state, at, scenario);
  if (app?.phase === 'announcing') return [announceStep(at)];
  const followUps: readonly FollowUp[] =
    app?.phase === 'unsure' ? ['invalidate'] : (scenario.followUps[at] ?? []);
  const version = app?.wrote ?? 0;
  return followUps.flatMap((followUp) =>
    followUp === 'scan' || followUp === 'tag'
      ? [beginScan(at, followUp, scenario)]
      : followUpSteps(state, { name, at, followUp, version, scenario }),
  );
}

function writeStep(state: State, name: AppName, at: number): Step {
  const wrote = state.db + 1;
  const left = { ...state.left, writes: state.left.writes - 1 };
  const next = (after: State): State =>
    withApp({ ...after, db: wrote, left }, at, { phase: 'pending', wrote });
  return { name: `${name} writes ${wrote} to the database`, command: null, next };
}

interface Telling {
  readonly name: AppName;
  readonly at: number;
  readonly followUp: Exclude<FollowUp, 'scan' | 'tag'>;
  readonly version: number;
  readonly scenario: Scenario;
}

function followUpSteps(state: State, { name, at, followUp, version, scenario }: Telling): Step[] {
  const verb = followUp === 'set' ? `sets ${version}` : `${followUp}s`;
  const command: Command =
    followUp === 'set' ? { do: 'put', entry: `S${version}=${version}` } : { do: followUp };
  const next = (after: State): State => told(after, at, scenario);
  const steps: Step[] = [{ name: `${name} ${verb}`, command, next }];
  if (state.left.losses === 0) return steps;
  // A set of unknown outcome is followed by an invalidate, an invalidate by another.
  const unsure = (after: State): State =>
    losing(withApp(after, at, { phase: 'unsure', wrote: version }));
  return [...steps, { name: `${name} ${verb}, the reply is lost`, command, next: unsure }];
}

function faults(state: State): Step[] {
  if (state.left.faults === 0) return [];
  const left = { ...state.left, faults: state.left.faults - 1 };
  const next = (after: State): State => ({ ...after, left });
  const present = (['lock', 'entry'] as const).filter((what) => state[what] !== null);
  return present.flatMap((what) => [
    { name: `the ${what} expires`, command: { do: 'expire', what }, next },
    { name: `the ${what} is evicted`, command: { do: 'evict', what }, next },
  ]);
}

function losing(state: State): State {
  return { ...state, left: { ...state.left, losses: state.left.losses - 1 } };
}

function withLoader(state: State, name: LoaderName, change: Partial<Loader>): State {
  const loader = { ...state.loaders[name], ...change };
  return { ...state, loaders: { ...state.loaders, [name]: loader } };
}
