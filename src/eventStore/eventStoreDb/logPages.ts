import { eventTypeFilter, type AllStreamResolvedEvent, type EventStoreDBClient } from '@eventstore/db-client';
import type { Readable } from 'node:stream';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventBatch } from '../../core/eventStore.ts';
import { anySignal } from '../../core/abortable.ts';
import { pageWasRead } from '../heapGrowth.ts';
import type { PageRequest } from '../readToHead.ts';
import { NoAnswer } from './clientErrors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './clientEvents.ts';
import { buffering, chunks, type ClientStream } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { createRetries } from './retry.ts';
import { trackedRead } from './trackedCalls.ts';

export const PAGE_SIZE = 5_000;
/** Events searched in vain after which an empty page is given, to report the position. */
const MOST_SEARCHED = 20_000;
/** Length of log from which on the server filters. Nearer to the end a plain read is as fast, and ends by itself. */
const FILTER_FROM_BYTES = 8n * 1_024n * 1_024n;
/** Longest time for which events of a rare type are gathered before a page reports the position. */
const REPORT_EVERY_MS = 500;
/** Events after which a filtering server reports its position. */
const CHECKPOINT_EVERY = 2_048;

export interface ReadTimes {
  /** Silence in milliseconds after which a read fails. */
  readonly timeoutMs: number;
  /** For how long a read that fails is tried again (`RetryOptions`). */
  readonly retryForMs: number;
}

/**
 * Pages of the whole log up to `until`. The next page is gathered while the consumer works on the one before.
 *
 * The client's reads cannot filter by type; only its subscriptions can. So a filtered subscription covers a long
 * distance. It reports its position now and then, but not reliably that it has arrived. Whatever happens to it, a plain
 * read covers the rest.
 */
export async function* readPages(
  connection: EventStoreDbConnection,
  { timeoutMs, retryForMs }: ReadTimes,
  request: PageRequest,
): AsyncGenerator<EventBatch> {
  const { until, types, signal, batchSize = PAGE_SIZE } = request;
  const retries = createRetries({ what: 'reading the log', retryForMs, signal });
  for (let after = request.after, filterFailed = false; after < until;) {
    const begun = after;
    const far: boolean = types !== undefined && until - after > FILTER_FROM_BYTES && !filterFailed;
    try {
      for await (const batch of (far ? filtered : plain)(connection, timeoutMs, { ...request, after, batchSize })) {
        after = batch.position;
        retries.reset();
        pageWasRead(batch.events);
        yield batch;
      }
    } catch (error) {
      await retries.afterFailure(error);
    }
    filterFailed = far && after === begun;
  }
}

type FullRequest = PageRequest & { readonly batchSize: number };

async function* plain(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  { after, until, types, batchSize, hashes, signal }: FullRequest,
): AsyncGenerator<EventBatch> {
  const wanted = types && new Set(types);
  const read = (client: EventStoreDBClient): ClientStream =>
    client.readAll({ fromPosition: clientPosition(after), requiresLeader: true }, buffering(batchSize));
  let events: RecordedEvent[] = [];
  let searched = 0;
  for await (const chunk of trackedRead<AllStreamResolvedEvent>(connection, 'reading the log', read, {
    most: batchSize,
    idleMs: timeoutMs,
    signal,
  })) {
    for (const { event } of chunk) {
      if (event === undefined) continue;
      const position = positionOf(event);
      if (position <= after) continue;
      if (position <= until && isOurs(event) && (wanted === undefined || wanted.has(event.type)))
        events.push(toRecorded(event, hashes));
      if (position >= until) return yield { events, position: until };
      if (events.length === batchSize || ++searched === MOST_SEARCHED) {
        yield { events, position };
        [events, searched] = [[], 0];
      }
    }
  }
  // The log is known to reach `until`: this node lags behind the one that said so, or the read was cut short.
  throw new NoAnswer(`the log up to ${until}`, timeoutMs);
}

/** The position that a filtered subscription has reached. Marks are put between its events. */
interface Mark {
  readonly searchedTo: bigint | 'end';
}

async function* filtered(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  { after, until, types, batchSize, hashes, signal }: FullRequest,
): AsyncGenerator<EventBatch> {
  const wanted = new Set(types);
  // Must never reject: the client would stall for ever, and the unhandled rejection would end the process.
  const checkpointReached = (subscription: unknown, { commit }: { commit: bigint }): Promise<void> => {
    (subscription as Readable).push({ searchedTo: commit } satisfies Mark);
    return Promise.resolve();
  };
  const filter = eventTypeFilter({ prefixes: [...wanted], maxSearchWindow: CHECKPOINT_EVERY, checkpointReached });
  const subscription = connection.client.subscribeToAll(
    { fromPosition: clientPosition(after), filter, requiresLeader: true },
    buffering(batchSize),
  );
  subscription.on('caughtUp', () => (subscription as unknown as Readable).push({ searchedTo: 'end' } satisfies Mark));

  let position = after;
  let events: RecordedEvent[] = [];
  let given = { position, at: Date.now() };
  const page = (): EventBatch => {
    const batch = { events, position };
    events = [];
    given = { position, at: Date.now() };
    return batch;
  };
  for await (const chunk of chunks<AllStreamResolvedEvent | Mark>(subscription, {
    most: batchSize,
    idleMs: timeoutMs,
    signal: anySignal(connection.replaced, signal),
  })) {
    let arrived = chunk.length === 0;
    for (const item of chunk) {
      const mark = 'searchedTo' in item ? item.searchedTo : item.event && positionOf(item.event);
      if (mark === 'end') arrived = true;
      // A checkpoint may report a position before the events that came ahead of it.
      if (mark === undefined || mark === 'end' || mark <= position) continue;
      if ('event' in item && mark <= until && isOurs(item.event!) && wanted.has(item.event!.type))
        events.push(toRecorded(item.event!, hashes));
      position = mark < until ? mark : until;
      if (events.length === batchSize) yield page();
    }
    arrived ||= until - position <= FILTER_FROM_BYTES;
    if (position > given.position && (arrived || Date.now() - given.at > REPORT_EVERY_MS)) yield page();
    if (arrived) return;
  }
}
