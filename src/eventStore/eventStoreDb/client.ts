import { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';

/**
 * Members of the client that are not public and that we depend on. All of them are own properties which the client
 * calls through `this`, so that one client can be changed without touching the others.
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
 * A client for the URL, with two of its habits changed. It connects when it is first used.
 *
 * - When a call fails, the client looks at its channel. If the search for a cluster's leader is under way at that moment
 *   and fails, nobody awaits the rejected promise and the process ends. The calls themselves fail with the same error,
 *   and the next call searches again, so the rejection is dropped.
 * - When a server knows batch append, the client sends all appends over one call. When that call breaks under load, the
 *   client rejects promises that nobody awaits, and the process ends. So the client is told that no server knows it, and
 *
 * @throws when the URL is not a connection string, or when the client has no such members any more.
 */
export function openClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(onOwnConnection(inClientsScheme(url)));
  const internals = internalsOf(client);
  const handleError = internals.handleError;
  internals.handleError = (...failed) => handleError(...failed).catch(() => undefined);
  internals.supports = () => Promise.resolve(false);
  return client;
}

/** `dispose` ends the client's calls but leaves its TCP connection open. This closes it, also one that is still being made. */
export async function closeChannel(client: EventStoreDBClient): Promise<void> {
  const channel = await internalsOf(client).getChannel();
  channel.close();
}

/** KurrentDB's documentation calls the scheme `kurrentdb`; the client knows the same thing as `esdb`. */
function inClientsScheme(url: string): string {
  return url.replace(/^kurrentdb(?=(\+discover)?:\/\/)/, 'esdb');
}

let opened = 0;

/**
 * Channels with equal options share a connection within a process, a dead one too, so a new client would not help. No
 * option of the client forbids this; a keep-alive timeout that differs by a millisecond from the others' prevents it.
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
        `This version of @eventstore/db-client has no "${name}" of its own. Adapt src/eventStore/eventStoreDb/client.ts to it, or install the version in package.json.`,
      );
    }
  }
  return internals;
}
