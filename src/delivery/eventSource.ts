import type { EventBatch } from '../core/eventStore.ts';

/** Which partitions of the log are this process's to take in. */
export interface Assignment {
  /** How many there are in all; 1 when events come straight from the store. */
  readonly partitions: number;
  readonly mine: readonly number[];
}

/** One consumer's way through one partition, at its own pace. */
export interface PartitionReader {
  /**
   * What the partition holds beyond `after`, in order of position, as soon as there is something: never with a gap, whatever
   * was skipped, lost or trimmed on the way. Also says that the consumer is done with everything up to `after`.
   * Throws the signal's reason when it aborts.
   */
  next(after: bigint, signal: AbortSignal): Promise<EventBatch>;
  close(): void;
}

/** How recorded events reach the consumers of this process: from the event store itself, or through Kafka. */
export interface EventSource {
  /** The assignment now, as soon as there is one, and each that follows. Ends when the signal aborts. */
  assignments(signal: AbortSignal): AsyncIterable<Assignment>;
  open(partition: number): PartitionReader;
  close(): Promise<void>;
}
