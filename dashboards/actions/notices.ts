/** What a page says after an action: by its name in the address, so that nobody can put words there. */
const NOTICES = {
  refresh: { text: 'The refresh is enqueued: a worker loads the key anew.', tone: 'good' },
  soften: { text: 'The entry is invalidated softly.', tone: 'good' },
  delete: { text: 'The entry is deleted.', tone: 'good' },
  nothing: { text: 'There was no entry, so nothing was changed.', tone: 'warn' },
  paused: { text: 'Refreshing of this loader is paused: nothing was enqueued.', tone: 'warn' },
  pause: {
    text: 'Refreshing is paused in the whole fleet; readers still load what they miss.',
    tone: 'warn',
  },
  resume: { text: 'Refreshing goes on, the hottest keys first.', tone: 'good' },
  run: { text: 'The run is enqueued: a scheduler carries it out.', tone: 'good' },
  unserved: {
    text: 'The run is enqueued, but no scheduler with warm-ups is there to carry it out.',
    tone: 'warn',
  },
} as const;

export type NoticeName = keyof typeof NOTICES;

export function noticeOf(name: unknown): (typeof NOTICES)[NoticeName] | null {
  return typeof name === 'string' && Object.hasOwn(NOTICES, name)
    ? NOTICES[name as NoticeName]
    : null;
}
