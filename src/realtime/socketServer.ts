import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server, type Socket } from 'socket.io';
import type { AuthenticatedUser } from '../http/route.ts';
import type { UploadProgress } from './uploadProgress.ts';
import type { SocketCaller } from './feedSockets.ts';
import type { PublicProgressMessage, UploadProgressMessage } from './messages.ts';
import type { SocketOrigins } from './socketOrigins.ts';

/** The user that an access token belongs to, and when the token expires. @throws when it is not valid. */
export type AuthenticateSocket = (
  token: string,
) => Promise<{ readonly user: SocketUser; readonly expires: Date | undefined }>;

type SocketUser = Pick<AuthenticatedUser, 'id' | 'role' | 'session'>;

/** The sessions that end while a socket is open. */
export interface SocketRevocations {
  isRevoked(user: SocketUser): boolean;
  /** Calls back with the id of each user of whom a session ended. Returns a function that stops it. */
  onRevoked(listener: (userId: string) => void): () => void;
}

export interface SocketServerOptions {
  /**
   * `everyone`: as on the original server, every socket gets the progress of every upload, without the video or its
   * stage.
   */
  readonly progressFor: 'owner' | 'everyone';
  readonly authenticate: AuthenticateSocket;
  readonly revocations: SocketRevocations | undefined;
  readonly origins: SocketOrigins;
  /** Answers subscriptions on a new socket. */
  readonly serveFeed: (socket: Socket, caller: SocketCaller) => void;
}

export interface SocketServer {
  readonly io: Server;
  /** Delivers to the sockets of this process. */
  deliverProgress(progress: UploadProgress): void;
  /**
   * Closes all connections, so that clients reconnect by themselves, and refuses new ones. It does not close the HTTP
   * server.
   */
  close(): void;
}

/** The largest message from a client, in bytes: enough for a subscription to a hundred videos. */
const MOST_BYTES = 16 * 1024;
/** How long a connection may stay without a socket: before its handshake, or after its handshake was refused. */
const HANDSHAKE_MS = 10_000;
/** How long a closing connection waits for its client, which may have stopped reading. */
const LINGER_MS = 2_000;

/** Puts Socket.io on an HTTP server. */
export function createSocketServer(
  http: HttpServer,
  { progressFor, authenticate, revocations, origins, serveFeed }: SocketServerOptions,
): SocketServer {
  const io = new Server(http, { cors: { origin: '*' }, maxHttpBufferSize: MOST_BYTES, connectTimeout: HANDSHAKE_MS });
  const websockets = new Set<Duplex>();
  http.on('upgrade', (_request: IncomingMessage, websocket: Duplex) => {
    websockets.add(websocket);
    websocket.once('close', () => websockets.delete(websocket));
  });
  let closing = false;
  io.engine.use((_request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (!closing) return next();
    // A client that polls over an open connection could otherwise open a socket that this process no longer serves.
    response.statusCode = 503;
    response.setHeader('Connection', 'close');
    response.end();
  });
  origins.countConnections(io);

  io.use((socket, next) => {
    if (!origins.of(socket).allowed)
      return next(
        refusal(
          'too_many_sockets',
          'There are too many connections from your address. Close some of them or try again later.',
        ),
      );
    const token = (socket.handshake.auth as Record<string, unknown>)['token'];
    if (token === undefined || token === null || token === '') return next();
    const refuse = (): void =>
      next(refusal('token_invalid', 'The token is not valid; log in again, or connect without one.'));
    if (typeof token !== 'string') return refuse();
    authenticate(token).then(({ user, expires }) => {
      const { id, role, session } = user;
      (socket.data as SocketData).user = { id, role, session };
      if (expires !== undefined) closeAt(expires, socket);
      next();
    }, refuse);
  });

  io.on('connection', (socket) => {
    const { user } = socket.data as SocketData;
    // Its session may have ended since its handshake.
    if (user !== undefined && revocations?.isRevoked(user) === true) return socket.conn.close();
    if (user !== undefined) void socket.join(roomOf(user.id));
    serveFeed(socket, { userId: user?.id, role: user?.role, address: origins.of(socket).address });
  });

  const stopClosing = revocations?.onRevoked((userId) => {
    const { adapter, sockets } = io.of('/');
    for (const id of adapter.rooms.get(roomOf(userId)) ?? []) {
      const socket = sockets.get(id);
      const user = (socket?.data as SocketData | undefined)?.user;
      if (user !== undefined && revocations.isRevoked(user)) socket!.conn.close();
    }
  });

  return {
    io,
    deliverProgress: ({ userId, videoId, stage, progress }) => {
      const event = `uploadProgress-${userId}`;
      if (progressFor === 'everyone') io.local.emit(event, { progress } satisfies PublicProgressMessage);
      else io.local.to(roomOf(userId)).emit(event, { progress, videoId, stage } satisfies UploadProgressMessage);
    },
    close: () => {
      closing = true;
      stopClosing?.();
      // Not io.disconnectSockets(): it sends DISCONNECT packets, after which clients do not reconnect by themselves.
      io.engine.close();
      setTimeout(() => websockets.forEach((websocket) => websocket.destroy()), LINGER_MS).unref();
    },
  };
}

interface SocketData {
  user?: SocketUser;
}

function roomOf(userId: string): string {
  return `user:${userId}`;
}

/** Clients find the code in `data` of their `connect_error`. */
function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { data: { code } });
}

/** The longest delay of `setTimeout` (ms). */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Closes the connection, not the socket, so that the client reconnects by itself. */
function closeAt(time: Date, socket: Socket): void {
  const timer = setTimeout(() => socket.conn.close(), Math.min(time.getTime() - Date.now(), LONGEST_DELAY_MS)).unref();
  socket.on('disconnect', () => clearTimeout(timer));
}
