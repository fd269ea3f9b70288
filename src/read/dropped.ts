/** What was set or invalidated, as in-process copies and other processes have to know it. */
export type Dropped =
  | { readonly kind: 'keys'; readonly loader: string; readonly keys: readonly string[] }
  | { readonly kind: 'loader'; readonly loader: string }
  | { readonly kind: 'pattern'; readonly loader: string; readonly glob: string }
  | { readonly kind: 'namespace' };

/** Forgets copies and flights in this process. */
export interface LocalDrop {
  drop(what: Dropped): void;
}

/** Tells the other processes. */
export interface Announcer {
  announce(what: Dropped): Promise<void>;
}
