/**
 * Stores videos and thumbnails. The server chooses the keys. A key contains a hash of its content and is never overwritten with other
 * bytes, so clients may cache an object for ever.
 */
export interface ObjectStore {
  /**
   * Stores a local file under a key, completely or not at all. It may be repeated. Afterwards the file may be removed but not
   * changed, since a store on the same disk may keep a hard link to it. @throws ObjectStoreUnavailable
   */
  putFile(key: string, path: string, contentType: string, signal?: AbortSignal): Promise<void>;
  /** Writes an object into a local file. @throws ObjectNotFound, ObjectStoreUnavailable */
  getFile(key: string, path: string, signal?: AbortSignal): Promise<void>;
  /** Stores a second copy of an object. It may be repeated. @throws ObjectNotFound, ObjectStoreUnavailable */
  copy(from: string, to: string): Promise<void>;
  /** Keys that begin with `prefix`. */
  list(prefix: string): AsyncIterable<string>;
  /** Ignores keys that do not exist. */
  remove(keys: readonly string[]): Promise<void>;
  /** The URL of a public object for browsers; that of a private object is signed, and ends (`SignedPaths`). */
  url(key: string): string;
  /** Throws when the store cannot be used at the moment. */
  check(): Promise<void>;
}

export class ObjectNotFound extends Error {
  constructor(key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectNotFound';
  }
}

export class ObjectStoreUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ObjectStoreUnavailable';
  }
}
