/** The hottest keys of an hour, hottest first. */
export interface HotKeys {
  readonly keys: readonly string[];
  /** Recent reads of each; null where nobody wrote them down. */
  readonly reads: readonly number[] | null;
}

/** What tells which keys an hour will want: the same one yesterday, and last week, and the one that is. */
export const FORETELLERS = ['yesterday', 'lastWeek', 'now'] as const;
export type Foreteller = (typeof FORETELLERS)[number];

/** Share of an hour's hottest keys that each has found so far, smoothed, 0 to 1. */
export type Scores = Readonly<Record<Foreteller, number>>;

/** Of what has not foretold any hour yet. */
const FIRST_SCORE = 0.5;
/** An hour's part in a score: a day of hours moves it by half, a single odd one hardly. */
const SMOOTHING = 0.03;
/** Some of whom nothing came true still counts: else the hour after a change would have nobody. */
const LEAST_SCORE = 0.05;
const MOST_JUDGED = 1_000;

/** Scores as they were kept, whatever became of them. */
export function scoresOf(kept: Readonly<Partial<Record<Foreteller, unknown>>>): Scores {
  const score = (foreteller: Foreteller): number => {
    const share = Number(kept[foreteller] ?? FIRST_SCORE);
    return Number.isNaN(share) ? FIRST_SCORE : Math.min(1, Math.max(0, share));
  };
  return { yesterday: score('yesterday'), lastWeek: score('lastWeek'), now: score('now') };
}

/**
 * The scores after one more hour.
 *
 * @param told - the hottest keys that each had told; whoever had nothing to tell keeps its score
 * @param actual - the hottest keys that the hour had, hottest first; without any nothing is learned
 */
export function learnScores(
  scores: Scores,
  told: Readonly<Partial<Record<Foreteller, readonly string[]>>>,
  actual: readonly string[],
): Scores {
  const wanted = new Set(actual.slice(0, MOST_JUDGED));
  const learned = { ...scores };
  for (const foreteller of FORETELLERS) {
    const keys = told[foreteller]?.slice(0, wanted.size) ?? [];
    if (keys.length === 0) continue;
    const found = keys.filter((key) => wanted.has(key)).length / wanted.size;
    learned[foreteller] += SMOOTHING * (found - learned[foreteller]);
  }
  return learned;
}

/**
 * The keys that an hour will want, most wanted first: those of all foretellers by the share of the reads
 * that each gives them, by what each is worth. Who has half the score counts a quarter.
 */
export function expectedKeys(
  scores: Scores,
  told: Readonly<Partial<Record<Foreteller, HotKeys>>>,
  count: number,
): string[] {
  const expected = new Map<string, number>();
  for (const foreteller of FORETELLERS) {
    const hottest = told[foreteller];
    if (!hottest) continue;
    const weight = Math.max(LEAST_SCORE, scores[foreteller]) ** 2;
    const shares = sharesOf(hottest);
    for (const [at, key] of hottest.keys.entries()) {
      expected.set(key, (expected.get(key) ?? 0) + weight * (shares[at] ?? 0));
    }
  }
  const ranked = [...expected].sort(([, one], [, other]) => other - one);
  return ranked.slice(0, count).map(([key]) => key);
}

/** How many of the hottest keys take so much of all reads of an hour; null where reads are not known. */
export function keysTaking(share: number, { reads }: HotKeys): number | null {
  if (reads === null) return null;
  let left = share * reads.reduce((sum, one) => sum + one, 0);
  let count = 0;
  for (const one of reads) {
    if (left <= 0) break;
    left -= one;
    count++;
  }
  return count;
}

/** Each key's share of the reads; by its rank, as Zipf has it, where these are not known. */
function sharesOf({ keys, reads }: HotKeys): number[] {
  const known = keys.map((_, at) => Math.max(0, reads?.[at] ?? 0) || 0);
  const isKnown = known.some((one) => one > 0);
  const parts = isKnown ? known : keys.map((_, at) => 1 / (at + 1));
  const sum = parts.reduce((all, one) => all + one, 0);
  return parts.map((one) => one / sum);
}
