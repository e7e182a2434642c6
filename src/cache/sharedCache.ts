import type { Stamp } from './stamp.ts';

/** An answer that another process may have loaded. */
export interface SharedEntry {
  /** `undefined`: there is no such thing. */
  readonly bytes: Buffer | undefined;
  /** Taken before it was loaded. */
  readonly stamp: Stamp;
  /** Milliseconds that it may still be used. */
  readonly msLeft: number;
}

/** The level of the cache that processes share. A courtesy: it may be away or forget at any time, and never throws. */
export interface SharedCache {
  read(key: string): Promise<SharedEntry | undefined>;
  write(key: string, entry: SharedEntry): void;
}
