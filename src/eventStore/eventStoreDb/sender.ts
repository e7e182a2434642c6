import { ANY, jsonEvent, NO_STREAM, type AppendToStreamOptions, type EventStoreDBClient } from '@eventstore/db-client';
import type { NewEvent } from '../../core/event.ts';
import type { AppendResult, ExpectedRevision } from '../../core/eventStore.ts';
import { ask } from './calls.ts';
import { connectEventStoreDb, type EventStoreDbConnection } from './connection.ts';
import { isNotLeader, isTransient, isWrongExpectedVersion, kindOf } from './errors.ts';
import { within } from './retry.ts';

/** Tries an append once. */
export interface Sender {
  /**
   * Answers `'look'` when the stream itself must be looked at to know: the expected revision was wrong (and what the
   * client says it was instead depends on the way it took), or the server did not say where the events lie.
   * @throws whatever the client does, and NoAnswer.
   */
  send(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult | 'look'>;
  close(): Promise<void>;
}

/** A call of its own for each append, as a client without batch append makes it. */
export function plainSender(connection: EventStoreDbConnection, timeoutMs: number): Sender {
  return {
    send: (stream, events, expected) => {
      const options = { expectedRevision: toClient(expected), deadline: timeoutMs, requiresLeader: true };
      return ask(connection, (client) =>
        within(timeoutMs, `an append to ${kindOf(stream)}`, appendOnce(client, stream, events, options)),
      );
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Milliseconds. The client turns the deadline of a batched append into a time of day, and the server compares that with
 * its own clock: where the client's clock is behind by more than the deadline, every append is refused. So the deadline
 * is further away than clocks are apart. The server has a limit of its own besides (`WriteTimeoutMs`), and so do we.
 */
const FAR_DEADLINE_MS = 24 * 3_600_000;

/**
 * All appends over one call that stays open, which the client has some trouble with: no deadline reaches it; when the
 * server ends it, the client goes on using it; and what waits for an answer is kept per process, not per client, so
 * that one broken call fails the appends of all of them, and an answer that comes after that throws out of
 * an event listener. Hence a client for nothing else, exchanged at the first sign of trouble, and a new one only once
 * nothing waits for the old one. No more than one such store should be open in a process.
 *
 * One trouble is left: when the call breaks while more appends wait to be written than its stream buffers, the client
 * rejects promises that nobody awaits, and the process ends. So this is for measurements, not for production.
 */
export function batchingSender(url: string, timeoutMs: number): Sender {
  const connection = connectEventStoreDb(url, { batchAppend: true });
  const waiting = new Set<Promise<unknown>>();
  let exchanging = Promise.resolve();
  return {
    send: async (stream, events, expected) => {
      await exchanging;
      const { client } = connection;
      const call = appendOnce(client, stream, events, {
        expectedRevision: toClient(expected),
        deadline: FAR_DEADLINE_MS,
        requiresLeader: true,
      });
      const attempt = within(timeoutMs, `an append to ${kindOf(stream)}`, call);
      waiting.add(attempt);
      try {
        return await attempt;
      } catch (error) {
        waiting.delete(attempt);
        // The client has learnt who the leader is, which a new one would not know.
        if (isTransient(error) && !isNotLeader(error))
          await (exchanging = connection.renew(client, () => Promise.allSettled(waiting)));
        throw error;
      } finally {
        waiting.delete(attempt);
      }
    },
    close: () => connection.close(),
  };
}

async function appendOnce(
  client: EventStoreDBClient,
  stream: string,
  events: readonly NewEvent[],
  options: AppendToStreamOptions,
): Promise<AppendResult | 'look'> {
  try {
    const toSend = events.map(({ id, type, data, metadata }) =>
      jsonEvent({ id: id.toLowerCase(), type, data: data as never, metadata: metadata as never }),
    );
    const { success, nextExpectedRevision, position } = await client.appendToStream(stream, toSend, options);
    // A URL with throwOnAppendFailure=false makes a conflict an answer without success.
    if (!success || position === undefined) return 'look';
    return { revision: Number(nextExpectedRevision), position: position.commit };
  } catch (error) {
    if (isWrongExpectedVersion(error)) return 'look';
    throw error;
  }
}

function toClient(expected: ExpectedRevision): NonNullable<AppendToStreamOptions['expectedRevision']> {
  if (expected === 'any') return ANY;
  return expected === 'none' ? NO_STREAM : BigInt(expected);
}
