import { Ajv, type Schema } from 'ajv';

/** A schema of an object with these fields and no others, so that a misspelt one is found. */
export function fields(properties: Record<string, Schema>, ...required: string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

export const text: Schema = { type: 'string', minLength: 1 };
export const whole: Schema = { type: 'integer', minimum: 0 };
export const flag: Schema = { type: 'boolean' };
/** Kubernetes and compose take numbers and booleans in these maps only as text. */
export const textMap: Schema = { type: 'object', additionalProperties: { type: 'string' } };

export function list(items: Schema): Schema {
  return { type: 'array', items, minItems: 1 };
}

export function oneOf(...values: string[]): Schema {
  return { enum: values };
}

/** What is wrong with a document, or nothing. */
export function problemsOf(schema: Schema, document: unknown): readonly string[] {
  const ajv = new Ajv({ allErrors: true });
  if (ajv.validate(schema, document)) return [];
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
