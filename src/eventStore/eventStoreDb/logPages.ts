import { eventTypeFilter, type AllStreamResolvedEvent, type EventStoreDBClient } from '@eventstore/db-client';
import type { Readable } from 'node:stream';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventBatch } from '../../core/eventStore.ts';
import { ahead, bursts, type ClientStream } from './bursts.ts';
import { readBursts, whileConnected } from './calls.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { NoAnswer } from './errors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './events.ts';
import { createPatience } from './retry.ts';

export const PAGE_SIZE = 5_000;
/** Events without a wanted one among them after which a page is given all the same, to say how far we are. */
const MOST_SEARCHED = 20_000;
/** The log from which on the server is asked to filter: nearer to the end a plain read is as good, and ends by itself. */
const FILTER_FROM_BYTES = 8n * 1_024n * 1_024n;
/** Longest time that a page of rare events is gathered. */
const SIGN_OF_LIFE_MS = 500;
/** Events after which a filtering server says how far it is. */
const CHECKPOINT_EVERY = 2_048;

export interface PageRequest {
  readonly after: bigint;
  /** Inclusive; not beyond the head. */
  readonly until: bigint;
  readonly types?: readonly string[];
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * Pages of the whole log up to `until`, the next one being gathered while the consumer works on the one before.
 *
 * The client's reads cannot filter by type, only its subscriptions can. So a long way is gone with a filtered
 * subscription, which says now and then how far it is but never dependably that it has arrived; whatever becomes of it,
 * a plain read goes the last bit, or all that is left.
 */
export async function* readPages(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  request: PageRequest,
): AsyncGenerator<EventBatch> {
  const { until, types, signal, batchSize = PAGE_SIZE } = request;
  const patience = createPatience('reading the log', signal);
  for (let after = request.after, filterFailed = false; after < until;) {
    const begun = after;
    const far: boolean = types !== undefined && until - after > FILTER_FROM_BYTES && !filterFailed;
    try {
      for await (const batch of (far ? filtered : plain)(connection, timeoutMs, { ...request, after, batchSize })) {
        after = batch.position;
        patience.restore();
        yield batch;
      }
    } catch (error) {
      await patience.afterFailure(error);
    }
    filterFailed = far && after === begun;
  }
}

type FullRequest = PageRequest & { readonly batchSize: number };

async function* plain(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  { after, until, types, batchSize, signal }: FullRequest,
): AsyncGenerator<EventBatch> {
  const wanted = types && new Set(types);
  const read = (client: EventStoreDBClient): ClientStream =>
    client.readAll({ fromPosition: clientPosition(after), requiresLeader: true }, ahead(batchSize));
  let events: RecordedEvent[] = [];
  let searched = 0;
  for await (const burst of readBursts<AllStreamResolvedEvent>(connection, 'reading the log', read, {
    most: batchSize,
    idleMs: timeoutMs,
    signal,
  })) {
    for (const { event } of burst) {
      if (event === undefined) continue;
      const position = positionOf(event);
      if (position <= after) continue;
      if (position <= until && isOurs(event) && (wanted === undefined || wanted.has(event.type)))
        events.push(toRecorded(event));
      if (position >= until) return yield { events, position: until };
      if (events.length === batchSize || ++searched === MOST_SEARCHED) {
        yield { events, position };
        [events, searched] = [[], 0];
      }
    }
  }
  // Known to be there, and not shown: a node that lags behind the one that told us, or a read that was cut short.
  throw new NoAnswer(`the log up to ${until}`, timeoutMs);
}

/** How far a filtered subscription is, put between the events that it gives. */
interface Mark {
  readonly searchedTo: bigint | 'end';
}

async function* filtered(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  { after, until, types, batchSize, signal }: FullRequest,
): AsyncGenerator<EventBatch> {
  const wanted = new Set(types);
  // Never rejects: the client would stall for ever, and take the process down with an unhandled rejection.
  const checkpointReached = (subscription: unknown, { commit }: { commit: bigint }): Promise<void> => {
    (subscription as Readable).push({ searchedTo: commit } satisfies Mark);
    return Promise.resolve();
  };
  const filter = eventTypeFilter({ prefixes: [...wanted], maxSearchWindow: CHECKPOINT_EVERY, checkpointReached });
  const subscription = connection.client.subscribeToAll(
    { fromPosition: clientPosition(after), filter, requiresLeader: true },
    ahead(batchSize),
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
  for await (const burst of bursts<AllStreamResolvedEvent | Mark>(subscription, {
    most: batchSize,
    idleMs: timeoutMs,
    signal: whileConnected(connection, signal),
  })) {
    let arrived = burst.length === 0;
    for (const item of burst) {
      const mark = 'searchedTo' in item ? item.searchedTo : item.event && positionOf(item.event);
      if (mark === 'end') arrived = true;
      // A checkpoint may lag behind events that came before it.
      if (mark === undefined || mark === 'end' || mark <= position) continue;
      if ('event' in item && mark <= until && isOurs(item.event!) && wanted.has(item.event!.type))
        events.push(toRecorded(item.event!));
      position = mark < until ? mark : until;
      if (events.length === batchSize) yield page();
    }
    arrived ||= until - position <= FILTER_FROM_BYTES;
    if (position > given.position && (arrived || Date.now() - given.at > SIGN_OF_LIFE_MS)) yield page();
    if (arrived) return;
  }
}
