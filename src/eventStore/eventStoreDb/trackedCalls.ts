import type { EventStoreDBClient } from '@eventstore/db-client';
import { anySignal } from '../../core/abortable.ts';
import { isSilence, NoAnswer } from './clientErrors.ts';
import { chunks, type ChunkOptions, type ClientStream } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';

/** Makes one call, and reports to the connection whether the server answered. Throws the call's error. */
export async function trackedCall<T>(
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
 * Reads as `chunks` does, and reports to the connection whether the server answered.
 * @throws NoAnswer when nothing comes for `idleMs`; ConnectionReplaced when the connection is replaced meanwhile.
 */
export async function* trackedRead<Item>(
  connection: EventStoreDbConnection,
  what: string,
  read: (client: EventStoreDBClient) => ClientStream,
  { signal, ...options }: ChunkOptions,
): AsyncGenerator<Item[]> {
  const { client } = connection;
  const ending = anySignal(connection.replaced, signal);
  try {
    for await (const chunk of chunks<Item>(read(client), { ...options, signal: ending })) {
      if (chunk.length === 0) throw new NoAnswer(what, options.idleMs);
      connection.answered(client);
      yield chunk;
    }
    connection.answered(client);
  } catch (error) {
    if (isSilence(error)) connection.unanswered(client);
    else if (!ending.aborted) connection.answered(client);
    throw error;
  }
}
