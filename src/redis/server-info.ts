import type { Redis } from 'ioredis';

/** Fields of a server's INFO. */
export type ServerFacts = Readonly<Record<string, string>>;

/** What one server says of itself: one call a section, as servers before 7.0 take but one. */
export async function readInfo(redis: Redis, ...sections: readonly string[]): Promise<ServerFacts> {
  const texts = await Promise.all(sections.map((section) => redis.info(section)));
  const lines = texts.flatMap((text) => text.split('\r\n'));
  return Object.fromEntries(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
