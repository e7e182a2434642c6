/** An answer that another process may have loaded. */
export interface SharedEntry {
  /** `undefined`: there is no such thing. */
  readonly bytes: Buffer | undefined;
  /** What its projection had taken in, for certain, when it was loaded. */
  readonly stamp: bigint;
  /** Milliseconds that it may still be used. */
  readonly msLeft: number;
}

/** The level of the cache that processes share. A courtesy: it may be away or forget at any time, and never throws. */
export interface SharedCache {
  /** Answers nothing that was loaded before its projection had reached `oldest`. */
  read(key: string, oldest: bigint): Promise<SharedEntry | undefined>;
  write(key: string, entry: SharedEntry): void;
}
