import { messageOf } from '../core/errors.ts';
import { pathText } from '../core/path-text.ts';
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from './schema.ts';

/** The schema's output, or what is wrong, with paths: short, on one line. */
export type Checked = { readonly value: unknown } | { readonly issues: string };

const MOST_ISSUES = 3;
const MOST_MESSAGE = 120;

/**
 * Whether a value matches a schema: at once, or as a promise if the validator is asynchronous. Never
 * throws or rejects: a validator that does has found a mismatch.
 */
export function checkWith(schema: StandardSchemaV1, value: unknown): Checked | Promise<Checked> {
  try {
    const result = schema['~standard'].validate(value);
    if (!isThenable(result)) return checked(result, value);
    return Promise.resolve(result)
      .then((late) => checked(late, value))
      .catch(mismatched);
  } catch (error) {
    return mismatched(error);
  }
}

function isThenable<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  return typeof (result as Partial<PromiseLike<T>> | null | undefined)?.then === 'function';
}

function checked(result: SchemaResult<unknown>, value: unknown): Checked {
  if (!result.issues) return { value: (result as { readonly value: unknown }).value };
  if (result.issues.length === 0) return { issues: 'value: refused without an issue' };
  const shown = result.issues.slice(0, MOST_ISSUES).map((issue) => issueText(issue, value));
  const more = result.issues.length - shown.length;
  return { issues: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ') };
}

function mismatched(error: unknown): Checked {
  return { issues: `the validator threw: ${oneLine(messageOf(error))}` };
}

function issueText({ message, path = [] }: SchemaIssue, value: unknown): string {
  const keys = path.map((step) => (typeof step === 'object' ? step.key : step));
  const part = keys.reduce<unknown>((at, key) => Object(at)[key], value);
  return `${pathText('value', keys)}: ${oneLine(withoutPart(String(message), part))}`;
}

// Some validators quote what they got: it must not get into events and logs.
function withoutPart(message: string, part: unknown): string {
  if (typeof part === 'string' && part !== '') {
    const quoted = message.replaceAll(JSON.stringify(part), '…');
    return part.length > 2 ? quoted.replaceAll(part, '…') : quoted;
  }
  if (typeof part !== 'number' && typeof part !== 'bigint') return message;
  return message.replaceAll(String(part), '…');
}

function oneLine(text: string): string {
  const line = text.slice(0, 2 * MOST_MESSAGE).replace(/\s+/g, ' ');
  return line.length > MOST_MESSAGE ? `${line.slice(0, MOST_MESSAGE - 3)}...` : line;
}

/** What a loader answered, or a stored value, is not what its schema describes. */
export class SchemaMismatch extends Error {
  readonly issues: string;

  constructor(issues: string) {
    super(`its answer does not match its schema: ${issues}`);
    this.issues = issues;
  }
}
