export interface BackOff {
  /** Milliseconds after the first failure. */
  readonly firstMs: number;
  /** Milliseconds that no pause exceeds. */
  readonly longestMs: number;
}

/** Milliseconds to wait before the next try, after so many failures in a row, the first being 1: doubles with each. */
export function backOff(failures: number, { firstMs, longestMs }: BackOff): number {
  return Math.min(firstMs * 2 ** (failures - 1), longestMs);
}
