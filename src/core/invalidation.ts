/** What an invalidation is of. Keys are key texts. */
export type InvalidationTarget =
  | { readonly kind: 'keys'; readonly loader: string; readonly keys: readonly string[] }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'pattern'; readonly loader: string; readonly glob: string }
  | {
      readonly kind: 'loader';
      readonly loader: string;
      /** One version alone; null: every version. */
      readonly version: number | null;
    }
  | { readonly kind: 'namespace' };

/**
 * What was invalidated, as JSON data: a hook may send it to another region, whose cache carries it out
 * too. `soft` leaves the old values in place, as stale ones; with `againMs` it is repeated once.
 */
export type Invalidation = InvalidationTarget & {
  readonly soft: boolean;
  readonly againMs?: number;
};

/** Hears of every invalidation of its cache. */
export type InvalidationHook = (invalidation: Invalidation) => void | Promise<void>;
