/**
 * The params that stand for a call: `null` for none, one argument as itself, several as an array.
 * Undefined arguments at the end are left out, so that `f(1)` and `f(1, undefined)` are one key; a single
 * null or array stands in an array of its own, so that `f([1, 2])` and `f(1, 2)` are two.
 */
export function toParams(args: readonly unknown[]): unknown {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  if (length === 0) return null;
  const [first] = args;
  if (length === 1 && first !== null && !Array.isArray(first)) return first;
  return args.slice(0, length);
}

/** The arguments that {@link toParams} made the params from. */
export function toArguments(params: unknown): readonly unknown[] {
  if (params === null) return [];
  return Array.isArray(params) ? params : [params];
}

/** The type of what {@link toParams} makes of arguments. */
export type ParamsOf<A extends readonly unknown[]> = A extends readonly []
  ? null
  : A extends readonly [unknown]
    ? Single<A[0]>
    : A extends readonly [unknown?]
      ? Single<Exclude<A[0], undefined>> | null
      : A;

type Single<T> = T extends null | readonly unknown[] ? [T] : T;
