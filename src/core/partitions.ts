import { crc32 } from 'node:zlib';

/**
 * The partition of a stream: CRC-32 (IEEE 802.3) of its name, modulo `partitions`. Kafka's own partitioner is not used,
 * so that a process that waits for an event knows its partition without a broker, and every client computes the same.
 */
export function partitionOf(stream: string, partitions: number): number {
  return partitions === 1 ? 0 : crc32(stream) % partitions;
}
