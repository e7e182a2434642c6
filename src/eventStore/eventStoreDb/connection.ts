import type { EventStoreDBClient } from '@eventstore/db-client';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { closeChannel, openClient } from './client.ts';
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
  close(): Promise<void>;
}

/** @throws when the URL is not a connection string. Connects when it is first used. */
export function connectEventStoreDb(url: string): EventStoreDbConnection {
  let client: EventStoreDBClient | undefined = openClient(url);
  let replaced = new AbortController();
  let silentCalls = 0;
  let used = false;
  let closed = false;
  let renewing = Promise.resolve();

  function renew(suspect: EventStoreDBClient): void {
    const before = replaced;
    [client, replaced, silentCalls] = [undefined, new AbortController(), 0];
    before.abort(new ConnectionReplaced());
    renewing = discard(suspect, RENEW_MS);
  }

  return {
    get client() {
      if (closed) throw new EventStoreUnavailable('the event store is closed');
      used = true;
      return (client ??= openClient(url));
    },
    get replaced() {
      return replaced.signal;
    },
    answered: (by) => {
      if (by === client) silentCalls = 0;
    },
    unanswered: (by) => {
      if (by === client && ++silentCalls === SILENT_CALLS) renew(by);
    },
    close: async () => {
      closed = true;
      await renewing;
      if (used && client !== undefined) await discard(client, CLOSE_MS);
    },
  };
}

async function discard(client: EventStoreDBClient, mostMs: number): Promise<void> {
  try {
    await within(mostMs, 'closing', client.dispose()).catch(() => undefined);
    await within(mostMs, 'closing', closeChannel(client));
  } catch {
    // It never connected, or does not answer: either way nobody uses it any more.
  }
}
