import type { Redis } from 'ioredis';

/** What is called in one turn of the event loop goes out in one write: a write costs more than a command. */
export function sendTogether({ stream }: Redis): void {
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
