import { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';

/**
 * Members of the client that we use although they are not public. Each is a property of the instance, and the client
 * calls it through `this`. So one client can be changed without touching the others.
 */
interface Internals {
  /** Decides after a failed call whether to reconnect. The client does not await it. */
  handleError(...failed: unknown[]): Promise<void>;
  /** Asks the server whether it knows a method. The client asks about one method only, batch append. */
  supports(...method: unknown[]): Promise<boolean>;
  getChannel(): Promise<Channel>;
}

const INTERNALS = ['handleError', 'supports', 'getChannel'] as const satisfies readonly (keyof Internals)[];

/** The client's own default. */
const KEEP_ALIVE_TIMEOUT_MS = 10_000;

/**
 * A client for the URL, with two habits changed. It connects when it is first used.
 *
 * - When a call fails, the client checks its channel. If the search for a cluster's leader fails at that moment, nobody
 *   awaits the rejected promise, and the process ends. The rejection is dropped: the calls themselves fail with the
 *   same error, and the next call searches again.
 * - When the server knows batch append, the client sends all appends over one call. When that call breaks under load,
 *   the client rejects promises that nobody awaits, and the process ends. So the client is told that no server knows
 *   batch append, and makes a call of its own for each append.
 *
 * @throws when the URL is not a connection string, or when the client does not have these members.
 */
export function openClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(onOwnConnection(withClientsScheme(url)));
  const internals = internalsOf(client);
  const handleError = internals.handleError;
  internals.handleError = (...failed) => handleError(...failed).catch(() => undefined);
  internals.supports = () => Promise.resolve(false);
  return client;
}

/**
 * `dispose` ends the client's calls but leaves its TCP connection open. This closes the connection, or stops the
 * attempt to connect.
 */
export async function closeChannel(client: EventStoreDBClient): Promise<void> {
  const channel = await internalsOf(client).getChannel();
  channel.close();
}

/** KurrentDB's documentation writes `kurrentdb://`; the client knows the same scheme as `esdb://`. */
function withClientsScheme(url: string): string {
  return url.replace(/^kurrentdb(?=(\+discover)?:\/\/)/, 'esdb');
}

let opened = 0;

/**
 * Channels with equal options share one connection in a process. If that connection is dead, a new client would not
 * help. The client has no option against sharing, so each client gets a keep-alive timeout that differs by a
 * millisecond.
 */
function onOwnConnection(url: string): string {
  const extra = opened++ % 1_000;
  const [, before, ms] = /^(.*[?&]keep[-_]?alive[-_]?timeout=)(\d+)/i.exec(url) ?? [];
  if (before !== undefined) return `${before}${Number(ms) + extra}${url.slice(before.length + ms!.length)}`;
  return `${url}${url.includes('?') ? '&' : '?'}keepAliveTimeout=${KEEP_ALIVE_TIMEOUT_MS + extra}`;
}

function internalsOf(client: EventStoreDBClient): Internals {
  const internals = client as unknown as Internals;
  for (const name of INTERNALS) {
    if (!Object.hasOwn(internals, name) || typeof internals[name] !== 'function') {
      throw new Error(
        `This version of @eventstore/db-client has no method "${name}" on its instances. ` +
          'Adapt src/eventStore/eventStoreDb/client.ts to it, or install the version in package.json.',
      );
    }
  }
  return internals;
}
