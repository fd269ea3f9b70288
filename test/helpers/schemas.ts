import type { SchemaIssue, StandardSchemaV1 } from '../../src/loaders/schema.ts';

type Validate<R> = StandardSchemaV1<unknown, R>['~standard']['validate'];

/** A Standard Schema around a validator. */
export function schemaOf<R>(validate: Validate<R>): StandardSchemaV1<unknown, R> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

export interface Price {
  readonly price: number;
}

export const noPrice: SchemaIssue = { message: 'expected number', path: ['price'] };

/** Takes objects with a price, and leaves what else they have. */
export const priceSchema: StandardSchemaV1<unknown, Price> = schemaOf((value) =>
  hasPrice(value) ? { value: { price: value.price } } : { issues: [noPrice] },
);

/** As `priceSchema`, later. */
export const asyncPriceSchema: StandardSchemaV1<unknown, Price> = schemaOf(async (value) =>
  priceSchema['~standard'].validate(value),
);

function hasPrice(value: unknown): value is Price {
  return typeof (value as Partial<Price> | null)?.price === 'number';
}
