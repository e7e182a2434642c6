/**
 * What a projection had taken in, for certain, when something was loaded from it: a position for each of its
 * partitions. One number would not do: two processes can each know of a commit that the other has not heard of.
 */
export type Stamp = readonly bigint[];

/** Whether all that `other` had taken in was in. Stamps of different layouts cannot be compared: then the answer is no. */
export function covers(stamp: Stamp, other: Stamp): boolean {
  return stamp.length === other.length && stamp.every((position, partition) => position >= other[partition]!);
}

/** Whether everything up to a position of the log was in. */
export function reaches(stamp: Stamp, position: bigint): boolean {
  return position <= 0n || (stamp.length > 0 && stamp.every((one) => one >= position));
}
