import { ANY, jsonEvent, NO_STREAM, type AppendToStreamOptions, type EventStoreDBClient } from '@eventstore/db-client';
import type { NewEvent } from '../../core/event.ts';
import type { AppendResult, ExpectedRevision } from '../../core/eventStore.ts';
import { categoryOf, isWrongExpectedVersion } from './clientErrors.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { answerWithin } from './retry.ts';
import { trackedCall } from './trackedCalls.ts';

/**
 * Tries an append once. Answers `'unclear'` when the stream itself must be read to know the outcome: the expected
 * revision was wrong, or the server did not say where the events are.
 * @throws NoAnswer, and any error of the client.
 */
export type AppendOnce = (
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
) => Promise<AppendResult | 'unclear'>;

export function createAppendOnce(connection: EventStoreDbConnection, timeoutMs: number): AppendOnce {
  return (stream, events, expected) => {
    const options = { expectedRevision: toClient(expected), deadline: timeoutMs, requiresLeader: true };
    return trackedCall(connection, (client) =>
      answerWithin(timeoutMs, `an append to ${categoryOf(stream)}`, appendWith(client, stream, events, options)),
    );
  };
}

async function appendWith(
  client: EventStoreDBClient,
  stream: string,
  events: readonly NewEvent[],
  options: AppendToStreamOptions,
): Promise<AppendResult | 'unclear'> {
  try {
    const toSend = events.map(({ id, type, data, metadata }) =>
      jsonEvent({ id: id.toLowerCase(), type, data: data as never, metadata: metadata as never }),
    );
    const { success, nextExpectedRevision, position } = await client.appendToStream(stream, toSend, options);
    // With throwOnAppendFailure=false in the URL, a conflict is an answer without success.
    if (!success || position === undefined) return 'unclear';
    return { revision: Number(nextExpectedRevision), position: position.commit };
  } catch (error) {
    if (isWrongExpectedVersion(error)) return 'unclear';
    throw error;
  }
}

function toClient(expected: ExpectedRevision): NonNullable<AppendToStreamOptions['expectedRevision']> {
  if (expected === 'any') return ANY;
  return expected === 'none' ? NO_STREAM : BigInt(expected);
}
