/**
 * Calls back once so much time has passed, and replies that had come by then have been read; not if the
 * answer is called before.
 */
export function startTimeLimit(limitMs: number, expire: () => void): () => void {
  const startedAtMs = performance.now();
  const look = (): void => {
    // Timers count from the start of the turn that sets them: a long turn would leave no time at all.
    const leftMs = startedAtMs + limitMs - performance.now();
    if (leftMs >= 1) timeout = setTimeout(look, leftMs);
    // Only after the replies that a process which was held up has not read yet.
    else setImmediate(expire);
  };
  let timeout = setTimeout(look, limitMs);
  return () => clearTimeout(timeout);
}
