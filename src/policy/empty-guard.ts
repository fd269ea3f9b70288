/** Answers for keys that had a value, each counting half after so many more. */
const HALF_LIFE_ANSWERS = 50;

/** How many of a loader's late answers, for keys that had a value, were without one. */
export interface EmptyAnswers {
  readonly answers: number;
  readonly empty: number;
}

export interface EmptyGuardSettings {
  /** Share of empty answers above which they are not believed, 0 to 1. */
  readonly share: number;
  /** So many answers are needed before they are judged. */
  readonly atLeast: number;
}

export const NO_ANSWERS: EmptyAnswers = { answers: 0, empty: 0 };

/** Counts one more answer; older ones fade. */
export function countAnswer(seen: EmptyAnswers, answer: 'value' | 'empty'): EmptyAnswers {
  const kept = 0.5 ** (1 / HALF_LIFE_ANSWERS);
  return {
    answers: seen.answers * kept + 1,
    empty: seen.empty * kept + (answer === 'empty' ? 1 : 0),
  };
}

/** Whether a loader that finds nothing for a key that had a value is more likely broken than right. */
export function isSuspicious(seen: EmptyAnswers, { share, atLeast }: EmptyGuardSettings): boolean {
  return seen.empty >= atLeast && seen.empty > share * seen.answers;
}
