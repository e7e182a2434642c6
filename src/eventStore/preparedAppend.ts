import type { NewEvent } from '../core/event.ts';
import { contentHash } from '../core/eventHash.ts';
import { AppendRefused, type ExpectedRevision } from '../core/eventStore.ts';

/**
 * Largest event: bytes of data and metadata as JSON. Less than the default limits of EventStoreDB (1 MiB an append, up
 * to 25.0) and Kafka.
 */
const MOST_EVENT_BYTES = 1_000_000;
const LONGEST_STREAM_NAME = 256;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const CONTROL = /[\x00-\x1f\x7f]/;

/** An append that has been checked, with its events as columns, as a database takes it. */
export interface PreparedAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  readonly types: readonly string[];
  /** JSON texts. */
  readonly data: readonly string[];
  readonly metadata: readonly string[];
  /** `contentHash` of each event. */
  readonly contents: readonly string[];
  readonly bytes: number;
}

/**
 * @throws AppendRefused when no database could take the events. So they cannot make the batch fail that they would
 * share with others.
 */
export function prepareAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): PreparedAppend {
  checkName('stream name', stream);
  if (stream.length > LONGEST_STREAM_NAME) {
    throw new AppendRefused(`the stream name ${stream.slice(0, 40)}… is longer than ${LONGEST_STREAM_NAME} characters`);
  }
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new AppendRefused(
      `the expected revision of ${stream} is ${expected}: it must be 'any', 'none' or a whole number from 0`,
    );
  }
  if (events.length === 0) throw new AppendRefused(`an append to ${stream} has no events`);
  const ids = events.map(({ id }) => id.toLowerCase());
  if (new Set(ids).size < ids.length) throw new AppendRefused(`an append to ${stream} names the same event id twice`);
  const types: string[] = [];
  const data: string[] = [];
  const metadata: string[] = [];
  const contents: string[] = [];
  let bytes = 0;
  for (const [n, event] of events.entries()) {
    if (!UUID.test(event.id)) throw new AppendRefused(`the event id '${event.id}' is not a UUID`);
    checkName('event type', event.type);
    const texts = [json(event, event.data), json(event, event.metadata)] as const;
    const size = Buffer.byteLength(texts[0]) + Buffer.byteLength(texts[1]);
    if (size > MOST_EVENT_BYTES)
      throw new AppendRefused(`a ${event.type} of ${size} bytes is over the limit of ${MOST_EVENT_BYTES}`);
    types.push(event.type);
    data.push(texts[0]);
    metadata.push(texts[1]);
    contents.push(contentHash({ stream, id: ids[n]!, type: event.type, data: texts[0], metadata: texts[1] }));
    bytes += size;
  }
  return { stream, expected, ids, types, data, metadata, contents, bytes };
}

function checkName(what: string, name: string): void {
  // An ill-formed string (half a surrogate pair) would change when it is encoded as UTF-8.
  if (name === '' || CONTROL.test(name) || !name.isWellFormed()) {
    throw new AppendRefused(
      `the ${what} ${JSON.stringify(name)} must be well-formed text, not empty and without control characters`,
    );
  }
}

function json(event: NewEvent, value: object): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new AppendRefused(`a ${event.type} cannot be written as JSON`, { cause });
  }
}
