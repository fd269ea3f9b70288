import { describe, expect, test } from 'vitest';
import { checkWith } from '../../../src/loaders/check-with.ts';
import type { SchemaIssue } from '../../../src/loaders/schema.ts';
import { asyncPriceSchema, priceSchema, schemaOf } from '../../helpers/schemas.ts';

const refusing = (...issues: SchemaIssue[]) => schemaOf(() => ({ issues }));

describe('a value that matches', () => {
  test('is answered as the schema put it, at once', () => {
    expect(checkWith(priceSchema, { price: 1, stock: 2 })).toEqual({ value: { price: 1 } });
  });

  test('is answered as a promise by an asynchronous validator', async () => {
    const checking = checkWith(asyncPriceSchema, { price: 1, stock: 2 });
    expect(checking).toBeInstanceOf(Promise);
    expect(await checking).toEqual({ value: { price: 1 } });
  });

  test('may be a promise that is not of this realm', async () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a promise of another realm is just that.
      then: (resolve: (result: unknown) => void) => resolve({ value: 1 }),
    };
    expect(
      await checkWith(
        schemaOf(() => thenable as never),
        0,
      ),
    ).toEqual({ value: 1 });
  });
});

describe('a mismatch', () => {
  test('is told with its path', async () => {
    const issues = 'value.price: expected number';
    expect(checkWith(priceSchema, {})).toEqual({ issues });
    expect(await checkWith(asyncPriceSchema, {})).toEqual({ issues });
  });

  test('has paths as they would be written in code', () => {
    const message = 'wrong';
    const path = ['a', 0, { key: 'b' }, 'c d', { key: Symbol('e') }];
    expect(checkWith(refusing({ message, path }, { message }), 1)).toEqual({
      issues: 'value.a[0].b["c d"][Symbol(e)]: wrong; value: wrong',
    });
  });

  test('does not tell the value, even where the validator quotes it', () => {
    const quoting = refusing(
      { message: 'expected number but received "secret\\""', path: ['a'] },
      { message: 'not secret word, please', path: ['b', 0] },
      { message: 'expected string but received 4711', path: ['pin'] },
    );
    const value = { a: 'secret"', b: ['secret word'], pin: 4711 };
    expect(checkWith(quoting, value)).toEqual({
      issues:
        'value.a: expected number but received …; value.b[0]: not …, please; value.pin: expected string but received …',
    });
  });

  test('is told in short and on one line, however long the validator speaks', () => {
    const long = { message: 'x\n'.repeat(1_000_000), path: Array(1_000).fill('deep') };
    const checked = checkWith(refusing(...Array<SchemaIssue>(500).fill(long)), 1);
    const { issues } = checked as { issues: string };
    expect(issues).toMatch(/^value\.deep.*; and 497 more$/);
    expect(issues.length).toBeLessThan(1_100);
  });

  test('is also what a validator means that throws, rejects or answers nothing of use', async () => {
    const down = (): never => {
      throw new Error('out of order');
    };
    const issues = 'the validator threw: out of order';
    expect(checkWith(schemaOf(down), 1)).toEqual({ issues });
    expect(
      await checkWith(
        schemaOf(async () => down()),
        1,
      ),
    ).toEqual({ issues });
    expect(checkWith(refusing(), 1)).toEqual({ issues: 'value: refused without an issue' });
    for (const nothing of [undefined, null, { issues: true }, { issues: [null] }]) {
      expect(
        checkWith(
          schemaOf(() => nothing as never),
          1,
        ),
      ).toHaveProperty('issues');
    }
  });
});
