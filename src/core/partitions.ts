import { crc32 } from 'node:zlib';

/**
 * Which of `partitions` a stream belongs to: CRC-32 (IEEE 802.3) of its name, modulo. Ours rather than Kafka's, so that
 * whoever waits for an event knows its partition without a broker, and it stays the same in every client.
 */
export function partitionOf(stream: string, partitions: number): number {
  return partitions === 1 ? 0 : crc32(stream) % partitions;
}
