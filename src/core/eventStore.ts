import type { NewEvent, RecordedEvent } from './event.ts';

/** What the writer believes the stream's last revision to be. `'any'`: does not matter; `'none'`: no such stream yet. */
export type ExpectedRevision = 'any' | 'none' | number;

export interface AppendRequest {
  readonly stream: string;
  /** At least one. */
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

/** Where the last event of an append lies. */
export interface AppendResult {
  readonly revision: number;
  readonly position: bigint;
}

/** A page of the log. Everything up to and including `position` (that passes the filter) has now been given. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  readonly position: bigint;
}

export interface ReadStreamOptions {
  /** First revision wanted; 0 by default. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

export interface ReadAllOptions {
  /** Exclusive; `0n` is the beginning. */
  readonly after: bigint;
  /** Inclusive: the last position wanted. */
  readonly until?: bigint;
  /** Only these event types. Batches may then be empty, and still move `position`. */
  readonly types?: readonly string[];
  /** Most events in a batch; 5 000 by default. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

export type SubscribeOptions = Omit<ReadAllOptions, 'until'>;

/**
 * An append-only log of streams with one global order.
 *
 * Promises: an acknowledged append is durable; all events of one append lie next to each other in their stream or
 * are not there at all; a reader that has seen position p is never later shown a new event at or below p; appending
 * events whose ids are already in that stream, in that order, answers where they lie and writes nothing.
 */
export interface EventStore {
  /**
   * @throws RevisionConflict when the stream is not at `expected`; AppendRefused when these events can never be stored;
   * EventStoreUnavailable when the store did not answer in time: they may or may not be in the log.
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** Independent appends in one go: each succeeds or fails by itself, answers are in the order of the requests. */
  appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]>;
  /** In order of revision. A stream that does not exist gives nothing. Throws the signal's reason when it aborts. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /** Up to the head as it is when the end is reached, then ends. Reads a page ahead at most: the consumer sets the pace. Throws the signal's reason when it aborts. */
  readAll(options: ReadAllOptions): AsyncIterable<EventBatch>;
  /** As `readAll`, then goes on with what is appended. Ends when `signal` aborts or the store closes; survives the store going away and coming back. */
  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch>;
  /** Position of the last event; `0n` when there is none. */
  head(): Promise<bigint>;
  /** Ends subscriptions, finishes appends under way, lets go of what the adapter opened itself. */
  close(): Promise<void>;
}

/** The stream was not where the writer believed. */
export class RevisionConflict extends Error {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** The last revision found; `undefined` when the stream does not exist, or the store did not say. */
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
 * These events can never be stored as they are: malformed, too large, or some of their ids are in the log already but
 * not all of them, in this stream and in this order.
 */
export class AppendRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppendRefused';
  }
}

/** The store could not be reached, or did not answer in time. The same append, with the same event ids, may be tried again. */
export class EventStoreUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EventStoreUnavailable';
  }
}
