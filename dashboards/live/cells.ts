import { printSpan } from '../../src/core/print-span.ts';
import { hitShareOf, type LoadRates, type ReadRates } from '../../src/observe/fleet-rates.ts';
import { anySchedulerAtMs, isThere } from '../../src/observe/loader-mode.ts';
import type { OriginState } from '../../src/redis/origin-state.ts';
import type { ServerMemory } from '../../src/redis/server-memory.ts';
import type { WarmUpStatus } from '../../src/warm/warm-up-status.ts';
import { printBytes, printCount } from '../pages/print.ts';
import type { LoaderFigures, Snapshot } from './snapshot.ts';

/** A figure as it is shown: its text says it all, the tone only helps to find it. */
export interface Cell {
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'warn' | 'bad' | 'faint';
}

export type Cells = Readonly<Record<string, Cell>>;

const NONE: Cell = { text: '–', tone: 'faint' };
/** So much of a server's memory is nearly all of it. */
const FULL_SHARE = 0.9;

/** Every figure of the overview by its name: `loader:<loader>:<figure>`, `server:<role>:…`, `plan:<plan>:…`. */
export function cellsOf(snapshot: Snapshot): Cells {
  const cells: Record<string, Cell> = {};
  for (const figures of snapshot.loaders) {
    for (const [name, cell] of Object.entries(loaderCells(figures, snapshot.atMs))) {
      cells[`loader:${figures.name}:${name}`] = cell;
    }
  }
  for (const role of ['cache', 'queue'] as const) {
    const memory = snapshot[role];
    cells[`server:${role}:memory`] = memoryCell(memory);
    cells[`server:${role}:policy`] = policyCell(memory);
  }
  for (const plan of snapshot.warmUps) {
    cells[`plan:${plan.name}:next`] = nextCell(plan, snapshot.atMs);
  }
  return cells;
}

function loaderCells(figures: LoaderFigures, nowMs: number): Cells {
  const { stats, seen, threshold, trackedKeys, failingKeys, backlogKeys, origin, reads, loads } =
    figures;
  const { used, wasted } = stats.judged;
  const judged = used + wasted;
  return {
    state: stateCell(figures, nowMs),
    ...readCells(reads),
    ...loadCells(loads),
    tracked: plain(printCount(trackedKeys)),
    threshold: plain(threshold.toFixed(1)),
    backlog: { text: printCount(backlogKeys), tone: backlogKeys > 1_000 ? 'warn' : 'plain' },
    load: plain(stats.load ? printSpan(stats.load.meanMs) : '–'),
    wait: plain(stats.wait ? printSpan(stats.wait.meanMs) : '–'),
    used: plain(
      judged === 0
        ? '–'
        : `${printCount(used)} used, ${printCount(wasted)} wasted (${percent(wasted / judged)})`,
    ),
    failing: {
      text: printCount(failingKeys),
      tone: failingKeys > 0 ? 'bad' : 'plain',
    },
    scheduler: seenCell(anySchedulerAtMs(seen), nowMs),
    worker: seenCell(seen.workerAtMs, nowMs),
    origin: originCell(origin, nowMs),
  };
}

function stateCell({ mode, pausedAtMs, seen }: LoaderFigures, nowMs: number): Cell {
  if (mode === 'off') return { text: 'off', tone: 'faint' };
  if (pausedAtMs !== null) {
    return { text: `paused for ${printSpan(Math.max(0, nowMs - pausedAtMs))}`, tone: 'warn' };
  }
  if (mode === 'shadow') return { text: 'shadow', tone: 'warn' };
  if (!isThere(seen.schedulerAtMs, nowMs)) return { text: 'no scheduler', tone: 'bad' };
  if (!isThere(seen.workerAtMs, nowMs)) return { text: 'no worker', tone: 'bad' };
  return { text: 'active', tone: 'good' };
}

function readCells(reads: ReadRates | null): Cells {
  if (reads === null) return { reads: NONE, hits: NONE, tiers: NONE, waits: NONE };
  const { readsPerSecond, memory, redis, stale, waited, failed } = reads;
  return {
    reads: plain(`${readsPerSecond.toFixed(1)} a second`),
    hits: plain(percent(hitShareOf(reads))),
    tiers: plain([memory, redis, stale].map(percent).join(', ')),
    waits:
      failed > 0
        ? { text: `${percent(waited)}, ${percent(failed)} failed`, tone: 'bad' }
        : plain(percent(waited)),
  };
}

function loadCells({ loadsPerSecond, landedPerSecond, late, leadMs }: LoadRates): Cells {
  const landed = `${landedPerSecond.toFixed(1)} a second`;
  return {
    loads: plain(`${loadsPerSecond.toFixed(1)} a second`),
    landed:
      late > 0 ? { text: `${landed}, ${printCount(late)} late`, tone: 'warn' } : plain(landed),
    lead: leadMs === null ? NONE : plain(printSpan(leadMs)),
  };
}

function seenCell(atMs: number | null, nowMs: number): Cell {
  if (atMs === null) return { text: 'never seen', tone: 'bad' };
  const text = `${printSpan(Math.max(0, nowMs - atMs))} ago`;
  return { text, tone: isThere(atMs, nowMs) ? 'plain' : 'bad' };
}

function originCell(origin: OriginState | null, nowMs: number): Cell {
  if (origin === null) return { text: 'no budget', tone: 'faint' };
  const { breaker, untilMs, pausedUntilMs, inFlight, isLimiting } = origin;
  const calls = `${inFlight} under way`;
  if (breaker !== 'closed') {
    const left = untilMs === null ? '' : ` for ${printSpan(Math.max(0, untilMs - nowMs))}`;
    return { text: `breaker ${breaker}${left}, ${calls}`, tone: 'bad' };
  }
  if (pausedUntilMs !== null) {
    return { text: `asked us to wait ${printSpan(pausedUntilMs - nowMs)}, ${calls}`, tone: 'warn' };
  }
  return isLimiting
    ? { text: `at its limit, ${calls}`, tone: 'warn' }
    : { text: `fine, ${calls}`, tone: 'plain' };
}

function memoryCell({ usedBytes, maxBytes, fullestShare }: ServerMemory): Cell {
  if (maxBytes === 0) return plain(`${printBytes(usedBytes)}, no limit`);
  const text = `${printBytes(usedBytes)} of ${printBytes(maxBytes)} (${percent(usedBytes / maxBytes)})`;
  return { text, tone: fullestShare > FULL_SHARE ? 'warn' : 'plain' };
}

function policyCell({ policies, problem }: ServerMemory): Cell {
  const text = policies.join(', ');
  if (problem === null) return plain(text);
  return { text: `${text}: not suitable, see Doctor`, tone: 'bad' };
}

function nextCell({ nextStartAtMs, runs }: WarmUpStatus, nowMs: number): Cell {
  const running = runs.find(({ state }) => state === 'running');
  if (running) return { text: 'running now', tone: 'good' };
  if (nextStartAtMs === null) return { text: 'not planned', tone: 'faint' };
  return plain(`in ${printSpan(Math.max(0, nextStartAtMs - nowMs))}`);
}

function plain(text: string): Cell {
  return { text, tone: 'plain' };
}

function percent(share: number): string {
  // What is rare is what is looked for: 99.6 % is not all.
  return `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;
}
