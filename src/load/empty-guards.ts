import { LoaderError } from '../core/errors.ts';
import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import { LateAnswers } from '../policy/empty-guard.ts';
import type { EntryHeader } from '../redis/entry.ts';

/** A key that was loaded, and the header of the entry it had before. */
interface Judged {
  readonly ref: LoadTarget;
  readonly previous: EntryHeader | null;
}

/**
 * Keeps good values from a loader that suddenly finds nothing for most keys: its answer is then an error,
 * so that refreshes leave the old value and readers get it as long as `staleIfError` allows.
 */
export class EmptyGuards {
  readonly #late = new Map<string, LateAnswers>();

  /** The answer, or the error it counts as. Answers for keys that had no value say nothing. */
  judge({ ref, previous }: Judged, answer: Loaded): Loaded {
    const { loader, key } = ref;
    const { emptyGuard } = loader;
    if (emptyGuard === null || previous === null || 'error' in answer) return answer;
    if (previous.notFound) return answer;
    const isEmpty = 'value' in answer && answer.value === undefined;
    let late = this.#late.get(loader.name);
    if (late === undefined) {
      late = new LateAnswers(emptyGuard);
      this.#late.set(loader.name, late);
    }
    late.add(isEmpty ? 'empty' : 'value');
    if (!isEmpty || !late.isSuspicious) return answer;
    const percent = Math.round(100 * late.emptyShare);
    const message = `loader "${loader.name}" found nothing for key ${key}, as for ${percent} % of late keys that had a value: not believed (emptyGuard)`;
    return { error: new LoaderError('EMPTY_GUARD', message) };
  }
}
