import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import type { EventStore } from '../eventStore/eventStore.ts';
import type { ReportUploadProgress } from '../media/progress.ts';
import { createEventFeed } from './eventFeed.ts';
import { onlyRising } from './progressDelivery.ts';
import { bridgeSockets, type SocketsRedis } from './redisSockets.ts';
import { createSocketServer, type AuthenticateSocket } from './socketServer.ts';

export interface RealtimeOptions {
  /** The API's own; listening already or not. */
  readonly http: HttpServer;
  /** On the port of the seed's clients; undefined: none (`LEGACY_SOCKET=false`). */
  readonly legacyHttp?: HttpServer;
  readonly authenticate: AuthenticateSocket;
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  /** Joins the sockets of all API processes, and hears media workers. */
  readonly redis?: SocketsRedis;
  readonly logger: Logger;
}

export interface Realtime {
  /** To the sockets of this process, and of all others where there is a Redis. */
  readonly reportProgress: ReportUploadProgress;
  /** Disconnects every socket. HTTP servers that are being closed wait for that. */
  close(): Promise<void>;
}

/** Socket.io on the API's port and on the seed's. */
export function createRealtime({ http, legacyHttp, authenticate, store, redis, logger }: RealtimeOptions): Realtime {
  const feed = createEventFeed({ store, logger });
  const main = createSocketServer(http, { progressFor: 'owner', authenticate, feed, logger });
  const legacy = legacyHttp && createSocketServer(legacyHttp, { progressFor: 'everyone', authenticate, feed, logger });

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
