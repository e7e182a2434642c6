import type { EventBatch } from '../core/eventStore.ts';

/** The partitions of the log that this process must read. */
export interface Assignment {
  /** Number of partitions in all; 1 when events come directly from the store. */
  readonly partitions: number;
  readonly mine: readonly number[];
}

/** Reads one partition for one consumer, at the consumer's pace. */
export interface PartitionReader {
  /**
   * The next events of the partition after `after`, in order of position. Waits until there are any. There is never a
   * gap, whatever was lost on the way. The call also reports that the consumer has finished everything up to `after`.
   * Throws the signal's reason when it aborts.
   */
  next(after: bigint, signal: AbortSignal): Promise<EventBatch>;
  close(): void;
}

/** Where the consumers of this process get recorded events from: the event store itself, or Kafka. */
export interface EventSource {
  /** The present assignment, as soon as there is one, and each later one. Ends when the signal aborts. */
  assignments(signal: AbortSignal): AsyncIterable<Assignment>;
  open(partition: number): PartitionReader;
  /**
   * Resolves when this process knows of no more events that are about to come; undefined when it knows of none. Sources that do not know
   * it do not have it.
   */
  moreToCome?(): Promise<void> | undefined;
  close(): Promise<void>;
}
