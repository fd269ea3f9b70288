/**
 * What copies in a process, and flights, must be forgotten: it was invalidated or set. Versions do not
 * matter in a process, and tags come as the keys that carry them.
 */
export type Dropped =
  | { readonly kind: 'keys'; readonly loader: string; readonly keys: readonly string[] }
  | { readonly kind: 'loader'; readonly loader: string }
  | { readonly kind: 'pattern'; readonly loader: string; readonly glob: string }
  | { readonly kind: 'namespace' };

/** Forgets in this process. */
export interface LocalDrop {
  drop(what: Dropped): void;
}

/** Makes the other processes forget. */
export interface Announcer {
  announce(what: Dropped): Promise<void>;
}
