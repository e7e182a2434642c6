import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';

/**
 * What lies in the topic: CloudEvents 1.0 in structured JSON, and between them watermarks, which are records without a
 * value. The headers are what a reader needs before it decides whether to look inside.
 */
export interface KafkaRecord {
  /** Of the event in the log; of a watermark: everything of the partition up to here has been given. */
  readonly position: bigint;
  /** Of the record before it in its partition: whoever has not come that far has missed something. */
  readonly previous: bigint;
  /** Undefined for a watermark. */
  readonly event: RecordedEvent | undefined;
}

export type PartitionMessage = Message & { readonly partition: number; readonly bytes: number };

/** What a record takes besides key, value and the values of its headers, generously. */
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
    // CloudEvents has only 32-bit integers and lower-case names.
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

/** Which log a record is of; undefined for one that no relay wrote. Ask before reading it: nothing else of a foreign one can be relied on. */
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
