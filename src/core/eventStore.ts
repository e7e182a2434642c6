import type { NewEvent, RecordedEvent } from './event.ts';

/** The stream's last revision that the writer expects. `'any'`: any revision; `'none'`: the stream must not exist. */
export type ExpectedRevision = 'any' | 'none' | number;

export interface AppendRequest {
  readonly stream: string;
  /** At least one. */
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

/** The place of the last event of an append. */
export interface AppendResult {
  readonly revision: number;
  readonly position: bigint;
}

/**
 * A page of the log. With it, the reader has received all events (that pass the filter) up to and including `position`.
 */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  readonly position: bigint;
}

export interface ReadStreamOptions {
  /** First revision to read; 0 by default. */
  readonly from?: number;
  /** Whether the events come with their hashes. */
  readonly hashes?: boolean;
  readonly signal?: AbortSignal;
}

export interface ReadAllOptions {
  /** Exclusive; `0n` is the beginning. */
  readonly after: bigint;
  /** Inclusive: the last position to read. */
  readonly until?: bigint;
  /** Only events of these types. Batches may then be empty and still advance `position`. */
  readonly types?: readonly string[];
  /** Most events in a batch; 5 000 by default. */
  readonly batchSize?: number;
  /** Whether the events come with their hashes. */
  readonly hashes?: boolean;
  /** False for readers that want one page only: the page after it is not fetched meanwhile. True by default. */
  readonly readAhead?: boolean;
  readonly signal?: AbortSignal;
}

export type SubscribeOptions = Omit<ReadAllOptions, 'until' | 'hashes' | 'readAhead'>;

/**
 * An append-only log of streams with one global order.
 *
 * It promises:
 * - An acknowledged append is durable.
 * - The events of one append are all in their stream, next to each other, or none of them is.
 * - A reader that has seen position p never later gets a new event at or below p.
 * - An append of events whose ids are in that stream already, in that order, answers their place and writes nothing.
 * - Each event is recorded with a hash of itself and of the event before it in its stream (`eventHash`).
 */
export interface EventStore {
  /**
   * @throws RevisionConflict when the stream is not at `expected`; AppendRefused when these events can never be stored;
   * EventStoreUnavailable when the store did not answer in time: the events may or may not be in the log.
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** Several independent appends. Each succeeds or fails by itself. The answers are in the order of the requests. */
  appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]>;
  /**
   * The events in order of revision; none for a stream that does not exist. Throws the signal's reason when it aborts.
   */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /**
   * Reads up to the head, as it is when the reader arrives there, and ends. The consumer sets the pace: at most one
   * page is read ahead. Throws the signal's reason when it aborts.
   */
  readAll(options: ReadAllOptions): AsyncIterable<EventBatch>;
  /**
   * Reads as `readAll` does, then goes on with new events. Ends, without an error, when `signal` aborts or the store
   * closes. Survives outages of the store.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch>;
  /**
   * Resolves when no append of this process is under way any more; undefined when none is. Stores that do not know it do not have it.
   */
  appendsUnderWay?(): Promise<void> | undefined;
  /** Position of the last event; `0n` when there is none. */
  head(): Promise<bigint>;
  /**
   * A position for readers of a period: the events up to it were recorded before `time`. It is near the last such event
   * where the store can find it quickly, else `0n`. The server's clock counts: if it was set back, a few events up to the
   * position may be from after `time`.
   */
  positionBefore(time: Date): Promise<bigint>;
  /**
   * Identifies the log and its positions: the id of its first event or, in a log that was copied from another one, an id
   * that the copy got. Null while the log is empty.
   */
  logId(): Promise<string | null>;
  /** Ends subscriptions, finishes the appends under way, and closes what the adapter opened itself. */
  close(): Promise<void>;
}

/** The stream is not at the revision that the writer expected. */
export class RevisionConflict extends Error {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** The stream's last revision; `undefined` when the stream does not exist or the store did not say. */
  readonly actual: number | undefined;

  constructor(stream: string, expected: ExpectedRevision, actual: number | undefined) {
    super(`stream ${stream} is at revision ${actual ?? 'none'}, not at ${expected}`);
    this.name = 'RevisionConflict';
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * These events can never be stored as they are: they are malformed or too large, or their ids are in the log already
 * but not all of them in this stream and in this order.
 */
export class AppendRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppendRefused';
  }
}

/**
 * The store could not be reached, or did not answer in time. The same append, with the same event ids, can be tried
 * again.
 */
export class EventStoreUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EventStoreUnavailable';
  }
}
