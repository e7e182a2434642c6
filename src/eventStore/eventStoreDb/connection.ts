import type { EventStoreDBClient } from '@eventstore/db-client';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { closeChannel, openClient } from './client.ts';
import { ConnectionReplaced } from './clientErrors.ts';
import { answerWithin } from './retry.ts';

const CLOSE_MS = 1_000;
/** Shorter than `CLOSE_MS`: when only the server has ended a call, the call never ends for the client. */
const REPLACE_MS = 200;
/** Calls in a row without an answer after which the connection counts as dead. A single one may be a slow call. */
const SILENT_CALLS = 2;

/** One client at a time. A client on a dead connection is replaced by a new one. */
export interface EventStoreDbConnection {
  /** Throws EventStoreUnavailable once this is closed, so that nothing is opened after that. */
  readonly client: EventStoreDBClient;
  /** Belongs to the present client. Aborts with ConnectionReplaced when another client takes its place. */
  readonly replaced: AbortSignal;
  /** Reports that the server answered a call of this client, if only with an error. */
  answered(client: EventStoreDBClient): void;
  /**
   * Reports that a call of this client got no answer in time. The second such call in a row replaces the client. The
   * client itself reconnects only when the server tells it to; it would use a dead connection until its keep-alive
   * fails, which takes 20 s.
   */
  unanswered(client: EventStoreDBClient): void;
  close(): Promise<void>;
}

/** Connects when it is first used. @throws when the URL is not a connection string. */
export function connectEventStoreDb(url: string): EventStoreDbConnection {
  let client: EventStoreDBClient | undefined = openClient(url);
  let replaced = new AbortController();
  let silentCalls = 0;
  let used = false;
  let closed = false;
  let replacing = Promise.resolve();

  function replace(dead: EventStoreDBClient): void {
    const before = replaced;
    [client, replaced, silentCalls] = [undefined, new AbortController(), 0];
    before.abort(new ConnectionReplaced());
    replacing = discard(dead, REPLACE_MS);
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
      if (by === client && ++silentCalls === SILENT_CALLS) replace(by);
    },
    close: async () => {
      closed = true;
      await replacing;
      if (used && client !== undefined) await discard(client, CLOSE_MS);
    },
  };
}

async function discard(client: EventStoreDBClient, timeoutMs: number): Promise<void> {
  try {
    await answerWithin(timeoutMs, 'closing', client.dispose()).catch(() => undefined);
    await answerWithin(timeoutMs, 'closing', closeChannel(client));
  } catch {
    // The client never connected, or the server does not answer. Nobody uses the client any more.
  }
}
