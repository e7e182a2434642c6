/**
 * Where videos and thumbnails lie. Keys are made by the server, name their content (a hash), and are never
 * overwritten with other bytes; so anything served from here may be cached for ever.
 */
export interface ObjectStore {
  /**
   * Stores a local file under a key, whole or not at all. Repeating it is harmless. The file may be removed afterwards but
   * not changed: a store on the same disk may keep it by another name. @throws ObjectStoreUnavailable
   */
  putFile(key: string, path: string, contentType: string, signal?: AbortSignal): Promise<void>;
  /** Writes an object into a local file. @throws ObjectNotFound, ObjectStoreUnavailable */
  getFile(key: string, path: string, signal?: AbortSignal): Promise<void>;
  /** Keys that begin with `prefix`. */
  list(prefix: string): AsyncIterable<string>;
  /** Deleting what is not there is fine. */
  remove(keys: readonly string[]): Promise<void>;
  /** The address under which a browser finds the object. */
  url(key: string): string;
  /** Throws when the store cannot be used right now. */
  check(): Promise<void>;
}

export class ObjectNotFound extends Error {
  constructor(key: string) {
    super(`no object ${key}`);
    this.name = 'ObjectNotFound';
  }
}

export class ObjectStoreUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ObjectStoreUnavailable';
  }
}
