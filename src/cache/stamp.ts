/**
 * How far a projection had applied the log at least when something was loaded from it: a position for each of its partitions. One
 * number is not enough, since each of two processes can know of a commit that the other has not heard of.
 */
export type Stamp = readonly bigint[];

/** Whether `stamp` is at least as far as `other` in each partition. False when the numbers of partitions differ. */
export function covers(stamp: Stamp, other: Stamp): boolean {
  return stamp.length === other.length && stamp.every((position, partition) => position >= other[partition]!);
}

/** Whether everything up to this position of the log was applied. */
export function reaches(stamp: Stamp, position: bigint): boolean {
  return position <= 0n || (stamp.length > 0 && stamp.every((one) => one >= position));
}
