import { ANY, jsonEvent, NO_STREAM, type AppendToStreamOptions, type EventStoreDBClient } from '@eventstore/db-client';
import type { NewEvent } from '../../core/event.ts';
import type { AppendResult, ExpectedRevision } from '../../core/eventStore.ts';
import { ask } from './calls.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { isWrongExpectedVersion, kindOf } from './errors.ts';
import { within } from './retry.ts';

/**
 * Tries an append once, as a call of its own. Answers `'look'` when only the stream itself can say what became of it:
 * the expected revision was wrong, or the server did not say where the events are.
 * @throws whatever the client does, and NoAnswer.
 */
export type Send = (
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
) => Promise<AppendResult | 'look'>;

export function createSend(connection: EventStoreDbConnection, timeoutMs: number): Send {
  return (stream, events, expected) => {
    const options = { expectedRevision: toClient(expected), deadline: timeoutMs, requiresLeader: true };
    return ask(connection, (client) =>
      within(timeoutMs, `an append to ${kindOf(stream)}`, appendOnce(client, stream, events, options)),
    );
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
