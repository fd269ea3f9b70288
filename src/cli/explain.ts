import type { RoleFlags } from '../../workers/run-role.ts';
import { printSpan } from '../core/print-span.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import { Explainer } from '../observe/explainer.ts';
import type { Explanation } from '../observe/explanation.ts';
import { printThreshold } from '../policy/explain.ts';
import { loaderNamed } from './named-loaders.ts';
import { printable } from './printable.ts';
import { withSession } from './session.ts';

export type ExplainFlags = RoleFlags & { readonly json?: boolean };

/** Prints why a key is refreshed or not. */
export async function runExplain(
  [name, key]: readonly [loader: string, key: string],
  flags: ExplainFlags,
): Promise<void> {
  const loader = await loaderNamed(name, flags);
  decodeKey(key); // Refuses text that no params have: nothing could ever be found under it.
  const explanation = await withSession(flags, ({ servers: { cache, queue, clock }, keys }) =>
    new Explainer({ cache, queue, keys, clock }).explain(loader, key),
  );
  const text = flags.json ? JSON.stringify(explanation) : printExplanation(explanation);
  process.stdout.write(`${text}\n`);
}

function printExplanation(explanation: Explanation): string {
  const { loader, key, summary } = explanation;
  const rows = rowsOf(explanation);
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const lines = rows.map(([label, text]) => `  ${label.padEnd(width)}${text}`);
  return [`${loader} ${key} ${summary}`, '', ...lines].map(printable).join('\n');
}

function rowsOf(explanation: Explanation): (readonly [label: string, text: string])[] {
  const { heat, load, queueWait, leadMs, atMs, refreshAtMs, due, pausedAtMs, mode } = explanation;
  const until = (instantMs: number | null): string => {
    if (instantMs === null) return 'not planned';
    return instantMs > atMs ? `in ${printSpan(instantMs - atMs)}` : 'now';
  };
  const kind = due && due.kind !== 'look' ? ` (${due.kind})` : '';
  return [
    [
      'heat',
      heat.isTracked
        ? `${heat.recentReads.toFixed(1)} recent reads, ${heat.readsPerSecond.toFixed(3)}/s`
        : 'not tracked',
    ],
    ['threshold', `${printThreshold(heat.threshold)} recent reads`],
    ['entry', printEntry(explanation)],
    ['load time', printSmoothed(load)],
    ['queue wait', printSmoothed(queueWait)],
    ['lead', printSpan(leadMs)],
    ['next look', `${until(due?.atMs ?? null)}${kind}`],
    ['refresh', until(refreshAtMs)],
    ['last outcome', printFailure(explanation)],
    ['lock', printLock(explanation)],
    ['mode', pausedAtMs === null ? mode : `paused for ${printSpan(atMs - pausedAtMs)}`],
    ['scheduler', printSeen(explanation.seen.schedulerAtMs, atMs)],
    ['worker', printSeen(explanation.seen.workerAtMs, atMs)],
  ];
}

function printEntry({ entry }: Explanation): string {
  const { state, remainingMs, ageMs, bytes, codec, compression, isNotFound, unreadLives } = entry;
  if (state === 'missing' || state === 'unreadable') return state;
  const left =
    remainingMs >= 0
      ? `expires in ${printSpan(remainingMs)}`
      : `expired ${printSpan(-remainingMs)} ago`;
  const form = `${bytes} bytes of ${codec ?? 'an unknown codec'}`;
  const packed = compression ? `, ${compression}` : '';
  const nothing = isNotFound ? ', says that there is no value' : '';
  const unread = unreadLives > 0 ? `, ${unreadLives} unread lives before it` : '';
  return `${state}, ${left}, ${printSpan(ageMs)} old, ${form}${packed}${nothing}${unread}`;
}

function printSmoothed(span: Explanation['load']): string {
  if (span === null || span.meanMs === 0) return 'not known';
  return `${printSpan(span.meanMs)} ± ${printSpan(span.deviationMs)}`;
}

function printFailure({ failure, atMs }: Explanation): string {
  if (failure === null) return 'landed, or nothing yet';
  const { attempts, error, retryAtMs } = failure;
  const next = retryAtMs > atMs ? `next try in ${printSpan(retryAtMs - atMs)}` : 'next try is due';
  return `failed, attempt ${attempts}: ${error}; ${next}`;
}

function printLock({ lock }: Explanation): string {
  return lock.isHeld ? `held, for another ${printSpan(lock.remainingMs)} at least` : 'free';
}

function printSeen(seenAtMs: number | null, atMs: number): string {
  return seenAtMs === null ? 'never seen' : `seen ${printSpan(Math.max(0, atMs - seenAtMs))} ago`;
}
