import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import type { EventStore } from '../core/eventStore.ts';
import type { ClientAddress } from '../http/request/clientAddress.ts';
import type { ReportUploadProgress } from './uploadProgress.ts';
import { createEventFeed } from './eventFeed.ts';
import type { FeedDefinition } from './feedDefinition.ts';
import { createFeedSockets } from './feedSockets.ts';
import { onlyRising } from './progressDelivery.ts';
import { bridgeSockets, type SocketsRedis } from './redisSockets.ts';
import { createSocketOrigins } from './socketOrigins.ts';
import { createSocketServer, type AuthenticateSocket } from './socketServer.ts';

export interface RealtimeOptions {
  /** The API's own; listening already or not. */
  readonly http: HttpServer;
  /** On the port of the original server's clients; undefined: none (`LEGACY_SOCKET=false`). */
  readonly legacyHttp?: HttpServer;
  /** What is pushed, and to whom. */
  readonly definition: FeedDefinition;
  readonly authenticate: AuthenticateSocket;
  readonly addressOf: ClientAddress;
  readonly limits: SocketLimits;
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  /** Joins the sockets of all API processes, and hears media workers. */
  readonly redis?: SocketsRedis;
  readonly logger: Logger;
}

/** What one client address may have at a time in this process, on both ports together. */
export interface SocketLimits {
  readonly perAddress: number;
  /** Subscriptions that ask for past events and have not caught up yet. */
  readonly catchUpsPerAddress: number;
}

export interface Realtime {
  /** To the sockets of this process, and of all others where there is a Redis. */
  readonly reportProgress: ReportUploadProgress;
  /** Closes every connection; clients reconnect by themselves. HTTP servers that are being closed wait for that. */
  close(): Promise<void>;
}

/** Socket.io on the API's port and on that of the original server. */
export function createRealtime({
  http,
  legacyHttp,
  definition,
  authenticate,
  addressOf,
  limits,
  store,
  redis,
  logger,
}: RealtimeOptions): Realtime {
  const feed = createEventFeed({ definition, store, logger, catchUpsPerAddress: limits.catchUpsPerAddress });
  const origins = createSocketOrigins({ addressOf, logger, perAddress: limits.perAddress });
  const serveFeed = createFeedSockets({ feed, topics: definition.topics, logger });
  const main = createSocketServer(http, { progressFor: 'owner', authenticate, origins, serveFeed });
  const legacy =
    legacyHttp && createSocketServer(legacyHttp, { progressFor: 'everyone', authenticate, origins, serveFeed });

  const deliver = onlyRising((step) => {
    main.deliverProgress(step);
    legacy?.deliverProgress(step);
  });
  const bridge = redis && bridgeSockets(main.io, redis, logger, deliver);

  return {
    reportProgress: (step) => {
      deliver(step);
      bridge?.report(step);
    },
    close: async () => {
      main.close();
      legacy?.close();
      bridge?.close();
      await feed.close();
    },
  };
}
