import type { RecordedEvent } from '../../core/event.ts';
import { partitionOf } from '../../core/partitions.ts';
import { eventMessage, watermarkMessage, type PartitionMessage } from './record.ts';

/**
 * Spreads the log over partitions. In each, every record names the one before it, so that a reader notices what it
 * has missed; watermarks tell the readers of a quiet partition how far the log is.
 */
export interface PartitionChain {
  /** The messages of these events, which follow the ones before in the log. */
  events(events: readonly RecordedEvent[], position: bigint): PartitionMessage[];
  /** One for each partition that has nothing at the log's position yet. */
  watermarks(): PartitionMessage[];
  /** Whether there are any. */
  readonly uneven: boolean;
  readonly position: bigint;
  readonly lastPositions: readonly bigint[];
}

export function createPartitionChain(
  from: { position: bigint; lastPositions: readonly bigint[] },
  logId: string,
): PartitionChain {
  const last = [...from.lastPositions];
  let { position } = from;

  function link(partition: number, to: bigint): { partition: number; previous: bigint; logId: string } {
    const previous = last[partition]!;
    last[partition] = to;
    return { partition, previous, logId };
  }

  return {
    events(events, reached) {
      position = reached;
      return events.map((event) => eventMessage(event, link(partitionOf(event.stream, last.length), event.position)));
    },
    watermarks() {
      const behind = [...last.keys()].filter((partition) => last[partition]! < position);
      return behind.map((partition) => watermarkMessage(position, link(partition, position)));
    },
    get uneven() {
      return last.some((each) => each < position);
    },
    get position() {
      return position;
    },
    get lastPositions() {
      return [...last];
    },
  };
}

/** A broker takes batches of 1 MiB for a partition unless told otherwise (`max.message.bytes`). */
const MOST_BYTES = 700_000;
/** kafkajs copies a partition's messages once for each of them. */
const MOST_MESSAGES = 2_000;

/** Cuts messages, in their order, into requests that a broker takes. */
export function* inRequests(messages: readonly PartitionMessage[]): Generator<PartitionMessage[]> {
  let request: PartitionMessage[] = [];
  let bytes = new Map<number, number>();
  for (const message of messages) {
    const sum = (bytes.get(message.partition) ?? 0) + message.bytes;
    if ((sum > MOST_BYTES || request.length === MOST_MESSAGES) && request.length > 0) {
      yield request;
      request = [];
      bytes = new Map();
    }
    request.push(message);
    bytes.set(message.partition, (bytes.get(message.partition) ?? 0) + message.bytes);
  }
  if (request.length > 0) yield request;
}
