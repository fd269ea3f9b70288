import { startTimeLimit } from './time-limit.ts';

/** Whether the work settled in time, well or badly. */
export async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let stop = (): void => undefined;
  const expiry = new Promise<false>((resolve) => {
    stop = startTimeLimit(timeoutMs, () => resolve(false));
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, expiry]);
  } finally {
    stop();
  }
}
