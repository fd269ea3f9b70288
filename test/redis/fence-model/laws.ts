import {
  type Command,
  type Reply,
  readable,
  type Scenario,
  type State,
  versionOf,
} from './model.ts';

/** One step as it was carried out. */
export interface Taken {
  readonly command: Command;
  readonly reply: Reply;
  readonly before: State;
  readonly after: State;
}

type Law = (taken: Taken) => boolean;

const OVERWRITTEN = 'an older value overwrote a newer one';

/** What must hold of values after every step: the text says how it was broken. */
const VALUE_LAWS: Readonly<Record<string, Law>> = {
  [OVERWRITTEN]: ({ before, after }) => {
    const [old, young] = [readable(before.entry), readable(after.entry)];
    return old === null || young === null || versionOf(young) >= versionOf(old);
  },
  'a value from before an invalidate or set is readable': ({ after }) => {
    const entry = readable(after.entry);
    return entry === null || versionOf(entry) >= after.floor;
  },
  'a load from before an invalidate or set was written': ({ command, before, after }) =>
    command.do !== 'commit' || !command.isVoid || isUnchanged(before, after),
  'a refused commit changed something': ({ reply, before, after }) =>
    reply.kind !== 'refused' || isUnchanged(before, after),
  'a commit that has landed was refused': ({ command, reply, after }) =>
    command.do !== 'commit' ||
    reply.kind !== 'refused' ||
    command.entry === null ||
    command.entry !== after.entry,
  'a commit that is nowhere was confirmed': ({ command, reply, after }) =>
    command.do !== 'commit' || reply.kind !== 'written' || command.entry === after.entry,
  'acquire answered a value from before an invalidate or set': ({ reply, after }) =>
    reply.kind !== 'entry' ||
    (typeof reply.entry === 'string' &&
      readable(reply.entry) !== null &&
      versionOf(reply.entry) >= after.floor),
  'acquire answered an outcome from before an invalidate or set': ({ reply, after }) =>
    reply.kind !== 'not-found' || after.floor === 0,
};

/** What must hold of locks. */
const LOCK_LAWS: Readonly<Record<string, Law>> = {
  'two loaders hold the lock': ({ command, reply, before }) =>
    command.do !== 'acquire' ||
    reply.kind !== 'acquired' ||
    before.holder === null ||
    before.holder === command.token,
  'a lock was renewed for another than its holder': ({ command, reply, before }) =>
    command.do !== 'renew' || reply.kind !== 'renewed' || before.holder === command.token,
  'a holder was told that its lock is gone': ({ command, reply, before }) =>
    command.do !== 'renew' || reply.kind === 'renewed' || before.holder !== command.token,
};

const VALUES = Object.entries(VALUE_LAWS);
const ALL = [...VALUES, ...Object.entries(LOCK_LAWS)];

/** How the step broke what must hold; null: it did not. */
export function brokenLaw(taken: Taken, scenario: Scenario): string | null {
  const isRacingSet = scenario.hasRacingSets === true && taken.command.do === 'put';
  for (const [broken, holds] of scenario.onlyValues ? VALUES : ALL) {
    if (isRacingSet && broken === OVERWRITTEN) continue;
    if (!holds(taken)) return broken;
  }
  return null;
}

/** Whether a reader may be answered with less than the database holds. */
export function isStale({ entry, db }: State): boolean {
  const answer = readable(entry);
  return answer !== null && versionOf(answer) < db;
}

/** Whether the reader would answer less than the database holds. */
export function isCopyStale({ reader, db }: State): boolean {
  return reader.copy !== null && versionOf(reader.copy) < db;
}

function isUnchanged(before: State, after: State): boolean {
  return before.entry === after.entry && before.lock === after.lock;
}
