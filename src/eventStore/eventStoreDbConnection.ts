import { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';
import { EventStoreUnavailable } from './eventStore.ts';
import { within } from './eventStoreDbRetry.ts';

const CLOSE_MS = 1_000;
/** Shorter: a call that the server has ended on its side alone never finishes for the client. */
const RENEW_MS = 200;

/** One client at a time, which can be exchanged for a new one and closed for good. */
export interface EventStoreDbConnection {
  /** Throws once this is closed, so that nothing is opened behind its back. */
  readonly client: EventStoreDBClient;
  /** Gives up a client that has gone wrong, and all that waits for it, once that has `settled`. Does nothing when it has been given up already. */
  renew(suspect: EventStoreDBClient, settled: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** @throws when the URL is not a connection string. Connects when it is first used. */
export function connectEventStoreDb(url: string): EventStoreDbConnection {
  let client: EventStoreDBClient | undefined = EventStoreDBClient.connectionString(url);
  let used = false;
  let closed = false;
  let renewing = Promise.resolve();

  return {
    get client() {
      if (closed) throw new EventStoreUnavailable('the event store is closed');
      used = true;
      return (client ??= EventStoreDBClient.connectionString(url));
    },
    renew: async (suspect, settled) => {
      if (client === suspect) {
        client = undefined;
        renewing = discard(suspect, RENEW_MS, settled);
      }
      await renewing;
    },
    close: async () => {
      closed = true;
      if (used && client !== undefined) await discard(client, CLOSE_MS);
    },
  };
}

/** `dispose` ends the client's calls but leaves its TCP connection open, and there is no public way to close that. */
async function discard(client: EventStoreDBClient, mostMs: number, settled?: () => Promise<unknown>): Promise<void> {
  try {
    await within(mostMs, 'closing', client.dispose()).catch(() => undefined);
    // What was just about to begin a call has begun it by then.
    if (settled !== undefined) await settled().then(() => within(mostMs, 'closing', client.dispose()));
    const { getChannel } = client as unknown as { getChannel(): Promise<Channel> };
    (await within(mostMs, 'closing', getChannel())).close();
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
