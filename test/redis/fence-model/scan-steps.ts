import { APP_NAMES, type App, type Scan, type Scenario, type State, type Step } from './model.ts';

/** The application has written; now it looks for what to invalidate. */
export function beginScan(at: number, by: 'scan' | 'tag', scenario: Scenario): Step {
  const name = APP_NAMES[at];
  if (by === 'scan') {
    const next = (after: State): State =>
      scanning(after, at, { pass: 1, left: BOTH, hasFound: false });
    return { name: `${name} begins to scan`, command: null, next };
  }
  const next = (after: State): State => {
    const scan = { pass: scenario.passes ?? 2, left: [], hasFound: after.isIndexed };
    return goneOn(scanning(after, at, scan), at, scenario);
  };
  return { name: `${name} looks into the index of the tag`, command: null, next };
}

/** Looks at one name after the other, and invalidates what it has found before it looks on. */
export function scanSteps(state: State, at: number, scenario: Scenario): Step[] {
  const name = APP_NAMES[at];
  const scan = state.apps[at]?.scan;
  if (!scan) return [];
  if (scan.hasFound) {
    const next = (after: State): State =>
      goneOn(scanning(after, at, { ...scan, hasFound: false }), at, scenario);
    return [{ name: `${name} invalidates what it found`, command: { do: 'invalidate' }, next }];
  }
  return scan.left.map((what) => ({
    name: `${name} comes to the ${what} in pass ${scan.pass}`,
    command: null,
    next: (after) => {
      const left = scan.left.filter((one) => one !== what);
      const hasFound = after[what] !== null;
      return goneOn(scanning(after, at, { ...scan, left, hasFound }), at, scenario);
    },
  }));
}

/** The cache knows of the write; the other processes are told next, if there are any. */
export function told(state: State, at: number, scenario: Scenario): State {
  const wrote = state.apps[at]?.wrote ?? 0;
  if (scenario.reader) return withApp(state, at, { phase: 'announcing', wrote });
  return withApp(state, at, { phase: 'clean', wrote: 0 });
}

export function announceStep(at: number): Step {
  const next = (after: State): State =>
    withApp({ ...after, bus: after.bus + 1 }, at, { phase: 'clean', wrote: 0 });
  return { name: `${APP_NAMES[at]} tells the other processes`, command: null, next };
}

export function withApp(state: State, at: number, app: App): State {
  return { ...state, apps: state.apps.map((one, index) => (index === at ? app : one)) };
}

function scanning(state: State, at: number, scan: Scan): State {
  return withApp(state, at, { phase: 'scanning', wrote: state.apps[at]?.wrote ?? 0, scan });
}

/** To the next pass, or to the end: then nothing older than its write may be readable any more. */
function goneOn(state: State, at: number, scenario: Scenario): State {
  const app = state.apps[at];
  const scan = app?.scan;
  if (!scan || scan.hasFound || scan.left.length > 0) return state;
  if (scan.pass < (scenario.passes ?? 2)) {
    return scanning(state, at, { pass: scan.pass + 1, left: BOTH, hasFound: false });
  }
  return told({ ...state, floor: Math.max(state.floor, app.wrote) }, at, scenario);
}

const BOTH = ['lock', 'entry'] as const;
