import type { RecordedEvent } from '../../core/event.ts';
import { partitionOf } from '../../core/partitions.ts';
import { eventMessage, watermarkMessage, type PartitionMessage } from './record.ts';

/**
 * Spreads the log over partitions. Every record names the record before it in its partition, so that a reader notices
 * when it has missed one. Watermarks tell the readers of a quiet partition how far the log has been copied.
 */
export interface PartitionChain {
  /** The messages for the next events of the log. */
  events(events: readonly RecordedEvent[], position: bigint): PartitionMessage[];
  /** A watermark for each partition whose last record is before the log's position. */
  watermarks(): PartitionMessage[];
  /** Whether any partition needs a watermark. */
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

/** By default a broker takes batches of up to 1 MiB for a partition (`max.message.bytes`). */
const MOST_BYTES = 700_000;
/** kafkajs copies the list of a partition's messages once for each message. */
const MOST_MESSAGES = 2_000;

/** Divides messages, in their order, into requests that a broker accepts. */
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
