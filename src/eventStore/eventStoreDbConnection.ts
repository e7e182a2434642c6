import { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';
import { within } from './eventStoreDbRetry.ts';

/** A call that the server has ended on its side alone never finishes for the client: not worth a longer wait. */
const CLOSE_MS = 300;

/** One client at a time, which can be exchanged for a new one and closed for good. */
export interface EventStoreDbConnection {
  readonly client: EventStoreDBClient;
  /** Gives up a client that has gone wrong, and everything that waits on it. Does nothing when that has been done already. */
  renew(suspect: EventStoreDBClient): Promise<void>;
  close(): Promise<void>;
}

/** @throws when the URL is not a connection string. Connects when it is first used. */
export function connectEventStoreDb(url: string): EventStoreDbConnection {
  let client: EventStoreDBClient | undefined = EventStoreDBClient.connectionString(url);
  let used = false;
  let renewing = Promise.resolve();

  return {
    get client() {
      used = true;
      // Only ever undefined while another one is being made, or after close.
      return (client ??= EventStoreDBClient.connectionString(url));
    },
    renew: async (suspect) => {
      if (client === suspect) {
        client = undefined;
        renewing = discard(suspect);
      }
      await renewing;
    },
    close: async () => {
      if (used && client !== undefined) await discard(client);
    },
  };
}

/** `dispose` ends the client's calls but leaves its TCP connection open, and there is no public way to close that. */
async function discard(client: EventStoreDBClient): Promise<void> {
  try {
    await within(CLOSE_MS, 'closing', client.dispose());
    const { getChannel } = client as unknown as { getChannel(): Promise<Channel> };
    (await within(CLOSE_MS, 'closing', getChannel())).close();
  } catch {
    // It never connected, or will not say good-bye: either way nobody uses it any more.
  }
}

/** `user:password@` of a connection string, as the client itself finds it. */
export function credentialsIn(url: string): { username: string; password: string } | undefined {
  const [, username, password] = /^[^:]+:\/\/([^:]+):([^@]+)@/.exec(url) ?? [];
  if (username === undefined || password === undefined) return undefined;
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}
