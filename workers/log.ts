import { messageOf } from '../src/core/errors.ts';
import type { EventName, Listener } from '../src/core/events.ts';

const WHY_SKIPPED = {
  overlap: 'the run before is still under way',
  late: 'nobody could start it in time',
} as const;
const REPEAT_MS = 10_000;

/** Prints one line: time, role, text. */
export function say(role: string, text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${role} ${text}\n`);
}

/** Anything with events: a cache, a worker, a scheduler. */
export interface EventSource {
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
}

/** Prints what an operator has to know; the same trouble at most once in ten seconds, with a count. */
export function logEvents(role: string, source: EventSource): void {
  const complain = complainer(role);
  source.on('server:unsuitable', ({ error }) => complain(`warning: ${error.message}`));
  source.on('redis:failed', (event) => complain(`${event.role} Redis: ${messageOf(event.error)}`));
  source.on('store:failed', ({ loader, key, error }) => {
    complain(`a value of ${loader} ${key} was not stored: ${messageOf(error)}`);
  });
  source.on('lock:lost', ({ loader, key }) => complain(`lost the lock of ${loader} ${key}`));
  source.on('warmup:started', ({ plan, runId, position }) => {
    const at = position > 0 ? `, from key ${position} on` : '';
    say(role, `warm-up ${plan} starts (${runId})${at}`);
  });
  source.on('warmup:completed', ({ plan, done, skipped, failed, refused, tookMs }) => {
    const counts = `${done} loaded, ${skipped} fresh, ${failed} failed, ${refused} refused`;
    say(role, `warm-up ${plan} is done: ${counts}, in ${Math.round(tookMs / 1_000)} s`);
  });
  source.on('warmup:skipped', ({ plan, runId, why }) => {
    say(role, `warm-up ${plan} is skipped (${runId}): ${WHY_SKIPPED[why]}`);
  });
  source.on('warmup:failed', ({ plan, error }) => {
    complain(`warm-up ${plan} failed: ${messageOf(error)}`);
  });
  source.on('warmup:refused', ({ plan, error }) => {
    complain(`warm-up ${plan}: ${messageOf(error)}`);
  });
  source.on('refresh:failed', ({ loader, key, error, retryAtMs }) => {
    complain(`refresh of ${loader} ${key} failed: ${messageOf(error)}`, retryAtMs);
  });
}

/** Prints every ten seconds how many keys a scheduler in shadow mode would have refreshed, with one of them. */
export function logShadow(role: string, source: EventSource): void {
  const planned = new Map<string, { count: number; readonly sinceMs: number }>();
  source.on('refresh:planned', ({ loader, key, why }) => {
    const nowMs = Date.now();
    const before = planned.get(loader);
    if (before && nowMs - before.sinceMs < REPEAT_MS) {
      before.count++;
      return;
    }
    const more = before?.count ? `, and ${before.count} keys before it` : '';
    planned.set(loader, { count: 0, sinceMs: nowMs });
    say(role, `shadow: would refresh ${loader} ${key} (${why})${more}`);
  });
}

function complainer(role: string): (text: string, retryAtMs?: number) => void {
  const last = new Map<string, { atMs: number; count: number }>();
  return (text, retryAtMs) => {
    const nowMs = Date.now();
    const before = last.get(text);
    if (before && nowMs - before.atMs < REPEAT_MS) {
      before.count++;
      return;
    }
    if (last.size > 1_000) last.clear();
    last.set(text, { atMs: nowMs, count: 0 });
    const again = before?.count ? ` (${before.count} more times since)` : '';
    const retry = retryAtMs ? `; next try ${new Date(retryAtMs).toISOString()}` : '';
    say(role, `${text}${again}${retry}`);
  };
}
