import {
  BACKWARDS,
  END,
  FORWARDS,
  StreamNotFoundError,
  type EventStoreDBClient,
  type ReadStreamOptions,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { LRUCache } from 'lru-cache';
import type { ExpectedRevision } from '../../core/eventStore.ts';
import { categoryOf } from './clientErrors.ts';
import { hashIn } from './clientEvents.ts';
import type { ClientStream } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { trackedRead } from './trackedCalls.ts';

/** Streams whose end is remembered. */
const MOST_STREAMS = 10_000;

/** The event that a stream ended with at some time: the next event is hashed with its hash. */
export interface StreamEnd {
  /** -1: the stream did not exist. */
  readonly revision: number;
  /** Undefined for an event that was recorded without a hash. */
  readonly hash: string | undefined;
}

export const NO_STREAM_YET: StreamEnd = { revision: -1, hash: undefined };

/**
 * The ends of streams. They are remembered, so that few appends need to read one first. An end may be out of date, which
 * the server notices: each append names the revision.
 */
export interface StreamEnds {
  /**
   * The end after which an append writes. Undefined when the stream has no event at the expected revision.
   * @throws NoAnswer, and any error of the client.
   */
  before(stream: string, expected: ExpectedRevision): Promise<StreamEnd | undefined>;
  saw(stream: string, end: StreamEnd): void;
  forget(stream: string): void;
}

/** `timeoutMs`: silence after which a read fails. A read is not tried again. */
export function createStreamEnds(connection: EventStoreDbConnection, timeoutMs: number): StreamEnds {
  const known = new LRUCache<string, StreamEnd>({ max: MOST_STREAMS });

  async function read(stream: string, revision: number | 'last'): Promise<StreamEnd | undefined> {
    const place: ReadStreamOptions =
      revision === 'last'
        ? { direction: BACKWARDS, fromRevision: END }
        : { direction: FORWARDS, fromRevision: BigInt(revision) };
    const call = (client: EventStoreDBClient): ClientStream =>
      client.readStream(stream, { ...place, maxCount: 1, requiresLeader: true });
    const options = { most: 1, idleMs: timeoutMs };
    try {
      for await (const chunk of trackedRead<ResolvedEvent>(
        connection,
        `reading ${categoryOf(stream)}`,
        call,
        options,
      )) {
        const event = chunk[0]?.event;
        if (event !== undefined) return { revision: Number(event.revision), hash: hashIn(event) };
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    return undefined;
  }

  return {
    before: async (stream, expected) => {
      if (expected === 'none') return NO_STREAM_YET;
      const end = known.get(stream);
      if (end !== undefined && (expected === 'any' || end.revision === expected)) return end;
      if (expected === 'any') return (await read(stream, 'last')) ?? NO_STREAM_YET;
      return read(stream, expected);
    },
    saw: (stream, end) => void known.set(stream, end),
    forget: (stream) => void known.delete(stream),
  };
}
