import type { EventMap, EventName, Listener } from '../src/core/events.ts';
import { DEBUG_LINES, EVENT_LINES, type Line } from './event-lines.ts';
import type { Log } from './log.ts';
import { Repeats } from './repeats.ts';

/** Anything with events: a cache, a worker, a scheduler. */
export interface EventSource {
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
}

interface Told {
  readonly name: EventName;
  readonly event: EventMap[EventName];
  readonly line: Line;
}

/** Logs what an operator has to know; trouble of one kind at most once in ten seconds, with a count. */
export function logEvents(log: Log, source: EventSource): void {
  const write = ({ name, event, line }: Told, more: number): void => {
    const again = more > 0 ? ` (${more} more times since)` : '';
    const fields = { event: name, ...fieldsOf(event, line), ...(more > 0 && { repeated: more }) };
    log[line.level](fields, `${line.text}${again}`);
  };
  const repeats = new Repeats<Told>(write);
  for (const [name, toLine] of entriesOf(EVENT_LINES)) {
    source.on(name, (event) => {
      const line = toLine(event);
      if (!line) return;
      const told = { name, event, line };
      if (isTrouble(line) || line.isFrequent) repeats.add(likenessOf(told), told);
      else write(told, 0);
    });
  }
  if (!log.isLevelEnabled('debug')) return;
  for (const [name, toLine] of entriesOf(DEBUG_LINES)) {
    source.on(name, (event) => {
      const line = toLine(event);
      if (line) write({ name, event, line }, 0);
    });
  }
}

type AnyLine = (event: EventMap[EventName]) => Line | null;

function entriesOf(lines: object): [EventName, AnyLine][] {
  return Object.entries(lines) as [EventName, AnyLine][];
}

/** A thousand keys that fail for one reason are one trouble: what differs is the key, and numbers in the message. */
function likenessOf({ name, event, line: { text } }: Told): string {
  const key = 'key' in event ? event.key : '';
  const same = key === '' ? text : text.replaceAll(key, '');
  return `${name} ${same.replace(/\d+/g, '#')}`;
}

/**
 * An error becomes plain text: those of ioredis carry the arguments of the command, values among them. `role` is the process's in
 * every line; an event's is that of a server.
 */
function fieldsOf(event: EventMap[EventName], line: Line): Record<string, unknown> {
  const { key, role: server, ...rest } = event as Record<string, unknown>;
  const fields: Record<string, unknown> = server === undefined ? rest : { server, ...rest };
  if ('error' in fields) fields.error = errorFields(fields.error);
  return isTrouble(line) && key !== undefined ? { ...fields, key } : fields;
}

function isTrouble({ level }: Line): boolean {
  return level === 'warn' || level === 'error';
}

function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error ? { code: error.code } : {};
  return { name: error.name, ...code, message: error.message, stack: error.stack };
}
