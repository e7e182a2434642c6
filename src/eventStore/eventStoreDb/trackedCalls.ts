import type { EventStoreDBClient } from '@eventstore/db-client';
import { bursts, type BurstOptions, type ClientStream } from './bursts.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { isSilence, NoAnswer } from './errors.ts';

/** Makes one call and tells the connection whether it had an answer. @throws whatever the call does. */
export async function ask<T>(
  connection: EventStoreDbConnection,
  call: (client: EventStoreDBClient) => Promise<T>,
): Promise<T> {
  const { client } = connection;
  try {
    const answer = await call(client);
    connection.answered(client);
    return answer;
  } catch (error) {
    if (isSilence(error)) connection.unanswered(client);
    else connection.answered(client);
    throw error;
  }
}

/**
 * What a read gives, as `bursts` does, and tells the connection whether it had an answer.
 * @throws NoAnswer when nothing comes for `idleMs`; ConnectionReplaced when the connection is given up meanwhile.
 */
export async function* readBursts<Item>(
  connection: EventStoreDbConnection,
  what: string,
  read: (client: EventStoreDBClient) => ClientStream,
  { signal, ...options }: BurstOptions,
): AsyncGenerator<Item[]> {
  const { client } = connection;
  const ending = whileConnected(connection, signal);
  try {
    for await (const burst of bursts<Item>(read(client), { ...options, signal: ending })) {
      if (burst.length === 0) throw new NoAnswer(what, options.idleMs);
      connection.answered(client);
      yield burst;
    }
    connection.answered(client);
  } catch (error) {
    if (isSilence(error)) connection.unanswered(client);
    else if (!ending.aborted) connection.answered(client);
    throw error;
  }
}

/** The signal for a stream of the present client: aborts with the given one, and when the client is replaced. */
export function whileConnected(connection: EventStoreDbConnection, signal?: AbortSignal): AbortSignal {
  return signal === undefined ? connection.replaced : AbortSignal.any([signal, connection.replaced]);
}
