import type { Stamp } from './stamp.ts';

/** An answer that another process may have loaded. */
export interface SharedEntry {
  /** `undefined`: it does not exist. */
  readonly bytes: Buffer | undefined;
  /** From before the load. */
  readonly stamp: Stamp;
  /** The remaining time until it expires (ms). */
  readonly msLeft: number;
}

/** The level of the cache that processes share. It is optional: it may be unavailable, may lose entries at any time, and never throws. */
export interface SharedCache {
  read(key: string): Promise<SharedEntry | undefined>;
  write(key: string, entry: SharedEntry): void;
}
