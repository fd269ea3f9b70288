import { yesOrNo } from '../config/rules.ts';
import { InvalidOptionError } from '../core/errors.ts';

/**
 * Standard Schema, version 1 (https://standardschema.dev): what zod, valibot, arktype and others share.
 * Spelled out here, as the specification provides for, so that Everwarm depends on none of them.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validator answers: the output value, or what is wrong with the input. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A loader's schema and when it is applied. */
export interface SchemaSettings {
  readonly schema: StandardSchemaV1 | undefined;
  readonly validateOnRead: boolean;
}

/** @throws InvalidOptionError naming the field, its value and the rule */
export function resolveSchema(
  { schema, ...given }: Partial<SchemaSettings>,
  at: (field: string) => string,
): SchemaSettings {
  if (schema !== undefined && !isStandardSchema(schema)) {
    const rule = 'must be a Standard Schema, version 1: a zod, valibot or arktype schema, say';
    throw new InvalidOptionError(at('schema'), schema, rule);
  }
  const validateOnRead = yesOrNo(given.validateOnRead, at('validateOnRead'), false);
  if (validateOnRead && schema === undefined) {
    throw new InvalidOptionError(at('validateOnRead'), validateOnRead, 'needs a schema');
  }
  return { schema, validateOnRead };
}

// A schema may be a function, as arktype's are.
function isStandardSchema(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const standard = (value as Partial<StandardSchemaV1>)['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}
