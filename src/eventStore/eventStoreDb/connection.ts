import type { EventStoreDBClient } from '@eventstore/db-client';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { closeChannel, openClient, type ClientOptions } from './client.ts';
import { ConnectionReplaced } from './errors.ts';
import { within } from './retry.ts';

const CLOSE_MS = 1_000;
/** Shorter: a call that the server has ended on its side alone never finishes for the client. */
const RENEW_MS = 200;
/** Calls in a row without an answer after which the connection counts as dead. One may be a slow call on a good connection. */
const SILENT_CALLS = 2;

/** One client at a time, which can be exchanged for a new one and closed for good. */
export interface EventStoreDbConnection {
  /** Throws once this is closed, so that nothing is opened behind its back. */
  readonly client: EventStoreDBClient;
  /** Of the present client: aborts with ConnectionReplaced when another one takes its place. */
  readonly replaced: AbortSignal;
  /** The server answered a call of this client, with whatever. */
  answered(client: EventStoreDBClient): void;
  /**
   * A call of this client had no answer in time. The client itself reconnects only when the server says something; a
   * connection on which nothing passes any more would stay in use until its keep-alive fails, for 20 s. So the second
   * time in a row renews it.
   */
  unanswered(client: EventStoreDBClient): void;
  /** Gives up a client that has gone wrong, and all that waits for it, once that has `settled`. Does nothing when it has been given up already. */
  renew(suspect: EventStoreDBClient, settled?: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** @throws when the URL is not a connection string. Connects when it is first used. */
export function connectEventStoreDb(url: string, options: ClientOptions): EventStoreDbConnection {
  let client: EventStoreDBClient | undefined = openClient(url, options);
  let replaced = new AbortController();
  let silentCalls = 0;
  let used = false;
  let closed = false;
  let renewing = Promise.resolve();

  async function renew(suspect: EventStoreDBClient, settled?: () => Promise<unknown>): Promise<void> {
    if (client === suspect) {
      const before = replaced;
      [client, replaced, silentCalls] = [undefined, new AbortController(), 0];
      before.abort(new ConnectionReplaced());
      renewing = discard(suspect, RENEW_MS, settled);
    }
    await renewing;
  }

  return {
    get client() {
      if (closed) throw new EventStoreUnavailable('the event store is closed');
      used = true;
      return (client ??= openClient(url, options));
    },
    get replaced() {
      return replaced.signal;
    },
    answered: (by) => {
      if (by === client) silentCalls = 0;
    },
    unanswered: (by) => {
      if (by === client && ++silentCalls === SILENT_CALLS) void renew(by);
    },
    renew,
    close: async () => {
      closed = true;
      await renewing;
      if (used && client !== undefined) await discard(client, CLOSE_MS);
    },
  };
}

async function discard(client: EventStoreDBClient, mostMs: number, settled?: () => Promise<unknown>): Promise<void> {
  try {
    await within(mostMs, 'closing', client.dispose()).catch(() => undefined);
    // What was just about to begin a call has begun it by then.
    if (settled !== undefined) await settled().then(() => within(mostMs, 'closing', client.dispose()));
    await within(mostMs, 'closing', closeChannel(client));
  } catch {
    // It never connected, or does not answer: either way nobody uses it any more.
  }
}
