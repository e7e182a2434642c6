import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';

/**
 * A record of the topic: an event as CloudEvents 1.0 in structured JSON, or a watermark, which has no value. The
 * headers hold what a reader needs before it parses the value.
 */
export interface KafkaRecord {
  /** Position of the event in the log. For a watermark: all events of the partition up to here have been sent. */
  readonly position: bigint;
  /** Position of the record before it in its partition. A reader that has not reached it has missed a record. */
  readonly previous: bigint;
  /** Undefined for a watermark. */
  readonly event: RecordedEvent | undefined;
}

export type PartitionMessage = Message & { readonly partition: number; readonly bytes: number };

/** Upper bound of what a record takes besides its key, its value and the values of its headers. */
const OVERHEAD_BYTES = 150;

export function eventMessage(
  event: RecordedEvent,
  place: { partition: number; previous: bigint; logId: string },
): PartitionMessage {
  const { correlationId, causationId, actor, traceparent, schemaVersion } = event.metadata;
  const value = JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: `urn:reelstream:log:${place.logId}`,
    type: event.type,
    subject: event.stream,
    time: event.time.toISOString(),
    datacontenttype: 'application/json',
    // CloudEvents allows only 32-bit integers and lower-case names.
    position: String(event.position),
    revision: event.revision,
    schemaversion: schemaVersion,
    correlationid: correlationId,
    causationid: causationId,
    actor,
    traceparent,
    data: event.data,
  });
  const headers: IHeaders = {
    'content-type': 'application/cloudevents+json',
    position: String(event.position),
    previous: String(place.previous),
    log: place.logId,
  };
  if (traceparent !== undefined) headers['traceparent'] = traceparent;
  return {
    partition: place.partition,
    key: event.stream,
    value,
    headers,
    bytes: Buffer.byteLength(value) + event.stream.length + OVERHEAD_BYTES,
  };
}

export function watermarkMessage(
  position: bigint,
  { partition, previous, logId }: { partition: number; previous: bigint; logId: string },
): PartitionMessage {
  const headers = { watermark: '1', position: String(position), previous: String(previous), log: logId };
  return { partition, key: null, value: null, headers, bytes: OVERHEAD_BYTES };
}

/**
 * Which log a record belongs to; undefined for a record that no relay wrote. To be checked before `readRecord`, which
 * relies on our format.
 */
export function logIdOf({ headers }: Pick<KafkaMessage, 'headers'>): string | undefined {
  return headers?.['log']?.toString();
}

export function readRecord({ headers = {}, value }: Pick<KafkaMessage, 'headers' | 'value'>): KafkaRecord {
  const number = (name: string): bigint => BigInt(headers[name]!.toString());
  const event = value === null || headers['watermark'] !== undefined ? undefined : readEvent(value);
  return { position: number('position'), previous: number('previous'), event };
}

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly position: string;
  readonly revision: number;
  readonly schemaversion: number;
  readonly correlationid: string;
  readonly causationid?: string;
  readonly actor?: string;
  readonly traceparent?: string;
  readonly data: object;
}

function readEvent(value: Buffer): RecordedEvent {
  const { id, type, subject, time, position, revision, data, ...rest } = JSON.parse(value.toString()) as CloudEvent;
  const {
    correlationid: correlationId,
    causationid: causationId,
    schemaversion: schemaVersion,
    actor,
    traceparent,
  } = rest;
  const metadata: EventMetadata = {
    correlationId,
    ...(causationId !== undefined && { causationId }),
    ...(actor !== undefined && { actor }),
    ...(traceparent !== undefined && { traceparent }),
    schemaVersion,
  };
  return { id, type, data, metadata, stream: subject, revision, position: BigInt(position), time: new Date(time) };
}
