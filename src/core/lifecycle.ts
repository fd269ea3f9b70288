/** Whether the work settled in time, well or badly. */
export async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timeout: NodeJS.Timeout | undefined;
  const expiry = new Promise<false>((resolve) => {
    // Only after the replies that a process which was held up has not read yet.
    timeout = setTimeout(() => setImmediate(resolve, false), timeoutMs);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, expiry]);
  } finally {
    clearTimeout(timeout);
  }
}
