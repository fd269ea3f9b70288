/** Calls back once so much time has passed, and replies that had come by then have been read; until stopped. */
export function startTimeLimit(limitMs: number, expire: () => void): () => void {
  // Only after the replies that a process which was held up has not read yet.
  const timeout = setTimeout(() => setImmediate(expire), limitMs);
  return () => clearTimeout(timeout);
}
