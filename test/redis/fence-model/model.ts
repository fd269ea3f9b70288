/*
 * The world of the fence model: a database whose version only grows, one key's entry and lock on the
 * server, two loaders, and up to two applications that write the database and then tell the cache.
 *
 *   loader       idle → held (acquired) → read → idle (commit answered, or failed)
 *                 ↑ └→ lost (reply lost) ─┘ └→ unsure (commit's reply lost) → committed again
 *                 └── released ←┴── renewal refused
 *   application  clean → pending (database written, cache not told) → clean
 *                             ├→ unsure (set's reply lost) → invalidated
 *                             └→ scanning (of the server, or of a tag's index) → clean
 *   reader       empty → filling (read from the server) → copy → empty (heard of an invalidation)
 *
 * Server states are texts: an entry is `<load>=<version>`, with `!` when marked as invalidated.
 */

export const LOADER_NAMES = ['A', 'B'] as const;
export type LoaderName = (typeof LOADER_NAMES)[number];
export const APP_NAMES = ['P', 'Q'] as const;
export type AppName = (typeof APP_NAMES)[number];

export type FollowUp = 'invalidate' | 'set' | 'mark' | 'scan' | 'tag';

export interface Scenario {
  /** How each application tells the cache of its write; one list an application. */
  readonly followUps: readonly (readonly FollowUp[])[];
  /** Loads each loader may begin. */
  readonly loads: number;
  readonly writes: number;
  /** Expiries and evictions, of the lock or of the entry. */
  readonly faults: number;
  /** Lost replies and delayed requests. */
  readonly losses: number;
  /** Version 0 of the database has no such row: a loader that reads it finds nothing. */
  readonly isAbsentAtFirst?: boolean;
  /** The entry the cache begins with. */
  readonly entry?: string;
  /** Sets of several applications race: then only the order in which they arrive is promised. */
  readonly hasRacingSets?: boolean;
  /** How often a scan goes over the server; the product does it twice. */
  readonly passes?: 1 | 2;
  /** Whether loads put their key under its tag, and when: the product does it before they read. */
  readonly tags?: 'before reading' | 'before writing';
  /** A process that keeps a copy, and whether a fill is dropped if it has heard of an invalidation since. */
  readonly reader?: { readonly reads: number; readonly isCareful: boolean };
  /** Looks for what a wrong lock does to values, not for the wrong lock itself. */
  readonly onlyValues?: boolean;
}

export interface Loader {
  readonly phase: 'idle' | 'lost' | 'held' | 'unsure';
  readonly flight: number;
  readonly loads: number;
  /** The database version this load has read. */
  readonly read: number | null;
  /** An invalidation or a set was carried out since this load acquired its lock. */
  readonly isVoid: boolean;
  /** A commit on its way that the loader has given up on. */
  readonly late: LateCommit | null;
  /** Whether this load has put its key under its tag. */
  readonly isTagged: boolean;
}

export interface LateCommit {
  readonly token: string;
  readonly entry: string | null;
  readonly isVoid: boolean;
}

export interface App {
  readonly phase: 'clean' | 'pending' | 'unsure' | 'scanning' | 'announcing';
  readonly wrote: number;
  readonly scan?: Scan;
}

/** How far an invalidation has come that looks for entries: it looks, and then invalidates what it found. */
export interface Scan {
  readonly pass: number;
  /** What this pass has not come to: where names are on the server says nothing about their order. */
  readonly left: readonly ('lock' | 'entry')[];
  readonly hasFound: boolean;
}

export interface Reader {
  readonly copy: string | null;
  /** What it read, and whether it has heard of an invalidation since. */
  readonly fill: { readonly entry: string; readonly isOutdated: boolean } | null;
  readonly reads: number;
}

export interface State {
  readonly db: number;
  readonly entry: string | null;
  readonly lock: string | null;
  readonly loaders: Readonly<Record<LoaderName, Loader>>;
  readonly apps: readonly App[];
  readonly reader: Reader;
  /** Messages on the bus that the reader has not heard. */
  readonly bus: number;
  /** Whether the key is in the index of its tag. */
  readonly isIndexed: boolean;
  /** The oldest version that may be readable: what the last invalidation or set stands for. */
  readonly floor: number;
  /** The token whose lock was granted and has not ended since, in any way. */
  readonly holder: string | null;
  readonly left: { readonly writes: number; readonly faults: number; readonly losses: number };
}

export type Command =
  | {
      readonly do: 'acquire';
      readonly token: string;
      readonly seen: number;
      readonly waits: boolean;
    }
  | { readonly do: 'renew'; readonly token: string }
  | { readonly do: 'release'; readonly token: string; readonly hasFailed: boolean }
  | {
      readonly do: 'commit';
      readonly token: string;
      readonly entry: string | null;
      readonly isVoid: boolean;
    }
  | { readonly do: 'put'; readonly entry: string }
  | { readonly do: 'invalidate' }
  | { readonly do: 'mark' }
  | { readonly do: 'expire' | 'evict'; readonly what: 'entry' | 'lock' };

export interface Reply {
  readonly kind: string;
  /** The entry that an acquire answered. */
  readonly entry?: string | null;
}

export interface Step {
  readonly name: string;
  /** Null: the server does not learn of it. */
  readonly command: Command | null;
  /** What the actor makes of it; the server's part is in the state already. */
  next(state: State, reply: Reply): State;
}

const IDLE: Loader = {
  phase: 'idle',
  flight: 1,
  loads: 0,
  read: null,
  isVoid: false,
  late: null,
  isTagged: false,
};

export function initialState(scenario: Scenario): State {
  const { writes, faults, losses } = scenario;
  return {
    db: 0,
    entry: scenario.entry ?? null,
    lock: null,
    loaders: { A: IDLE, B: IDLE },
    apps: scenario.followUps.map(() => ({ phase: 'clean', wrote: 0 })),
    reader: { copy: null, fill: null, reads: scenario.reader?.reads ?? 0 },
    bus: 0,
    isIndexed: false,
    floor: 0,
    holder: null,
    left: { writes, faults, losses },
  };
}

/** What the server's part of a step means for the promises, whoever did it. */
export function withServer(
  state: State,
  step: { readonly command: Command; readonly reply: Reply; readonly scenario: Scenario },
  server: { readonly entry: string | null; readonly lock: string | null },
): State {
  const { command, reply, scenario } = step;
  const holder = holderAfter(state.holder, command, reply);
  const next = { ...state, ...server, holder };
  if (command.do === 'put') {
    const version = versionOf(command.entry);
    const floor = scenario.hasRacingSets ? version : Math.max(state.floor, version);
    return { ...next, floor, loaders: voided(state.loaders) };
  }
  if (command.do !== 'invalidate' && command.do !== 'mark') return next;
  return { ...next, floor: state.db, loaders: voided(state.loaders) };
}

function holderAfter(holder: string | null, command: Command, reply: Reply): string | null {
  switch (command.do) {
    case 'acquire':
      return reply.kind === 'acquired' ? command.token : holder;
    case 'renew':
      return holder;
    case 'release':
    case 'commit':
      return holder === command.token ? null : holder;
    case 'expire':
    case 'evict':
      return command.what === 'lock' ? null : holder;
    default:
      return null;
  }
}

function voided(loaders: State['loaders']): State['loaders'] {
  return { A: voidedOne(loaders.A), B: voidedOne(loaders.B) };
}

function voidedOne(loader: Loader): Loader {
  const isVoid = loader.phase === 'held' || loader.phase === 'unsure';
  return { ...loader, isVoid, late: loader.late && { ...loader.late, isVoid: true } };
}

export function tokenOf(name: LoaderName, loader: Loader): string {
  return `${name}${loader.flight}`;
}

export function versionOf(entry: string): number {
  return Number.parseInt(entry.slice(entry.indexOf('=') + 1), 10);
}

/** createdAt of an entry: every load has its own. */
export function createdAtOf(entry: string): number {
  const load = entry.slice(0, entry.indexOf('='));
  return load.charCodeAt(0) * 1_000 + Number(load.slice(1));
}

/** The entry a reader would be answered with. */
export function readable(entry: string | null): string | null {
  return entry === null || entry.endsWith('!') ? null : entry;
}
