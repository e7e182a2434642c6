import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Server, Socket } from 'socket.io';
import type { ClientAddress } from '../http/request/clientAddress.ts';
import { addressKey } from '../rateLimits/addressKey.ts';
import { createPlaces } from './places.ts';

export interface SocketOrigin {
  /** The address as rate limits count it: an IPv4 address, or the /64 of an IPv6 address. */
  readonly address: string;
  /** False when its address already had as many connections as it may have. */
  readonly allowed: boolean;
}

/** Counts the connections of all socket servers of this process by client address. */
export interface SocketOrigins {
  /** Counts every connection of a server, including those that never become a socket. */
  countConnections(io: Server): void;
  of(socket: Socket): SocketOrigin;
}

/** The part of an Engine.io connection that this file uses. */
interface Connection {
  readonly request: IncomingMessage;
  once(event: 'close', listener: () => void): void;
}

/** The shortest time between two warnings that an address has too many connections. */
const WARN_EVERY_MS = 60_000;

export function createSocketOrigins({
  addressOf,
  perAddress,
  logger,
}: {
  addressOf: ClientAddress;
  perAddress: number;
  logger: Logger;
}): SocketOrigins {
  const places = createPlaces(perAddress);
  const origins = new WeakMap<object, SocketOrigin>();
  let warnAgainAt = 0;

  function warn(address: string): void {
    if (performance.now() < warnAgainAt) return;
    warnAgainAt = performance.now() + WARN_EVERY_MS;
    logger.warn(
      { address, perAddress },
      'sockets are refused: this address already has SOCKETS_PER_ADDRESS sockets. If it is your proxy, set TRUST_PROXY',
    );
  }

  return {
    countConnections(io) {
      io.engine.on('connection', (connection: Connection) => {
        const address = addressKey(addressOf(connection.request) ?? 'unknown');
        const leave = places.take(address);
        origins.set(connection, { address, allowed: leave !== undefined });
        if (leave === undefined) warn(address);
        else connection.once('close', leave);
      });
    },
    of: ({ conn }) => origins.get(conn)!,
  };
}
