/** A loader's word that the stored value is still right: it is kept, and lives another ttl. */
export class NotModified {
  readonly kind = 'not-modified';
}

/** A loader's value with what tells whether it has changed: an ETag, a version, a modification time. */
export class WithEtag<R> {
  readonly kind = 'with-etag';
  readonly value: R;
  readonly etag: string;

  constructor(value: R, etag: string) {
    this.value = value;
    this.etag = etag;
  }
}

const NOT_MODIFIED = new NotModified();

/** Answered by a loader whose context had an `etag`, and whose origin says that it still holds. */
export function notModified(): NotModified {
  return NOT_MODIFIED;
}

/** Answered by a loader that wants `etag` back in its context at the next load of this key. */
export function withEtag<R>(value: R, etag: string): WithEtag<R> {
  return new WithEtag(value, etag);
}
