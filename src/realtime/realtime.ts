import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { EventStore } from '../eventStore/eventStore.ts';
import type { ReportUploadProgress } from '../media/progress.ts';
import { createEventFeed } from './eventFeed.ts';
import { onlyRising } from './progressDelivery.ts';
import { bridgeSockets } from './redisSockets.ts';
import { createSocketServer, type AuthenticateSocket } from './socketServer.ts';

export interface RealtimeOptions {
  /** The API's own. */
  readonly http: HttpServer;
  /** For the seed's clients; undefined: none (`LEGACY_SOCKET=false`). 0: any free one. */
  readonly legacyPort: number | undefined;
  readonly host?: string;
  readonly authenticate: AuthenticateSocket;
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  /** Joins the sockets of all API processes, and hears media workers. Stays the caller's; two connections are made like it. */
  readonly redis?: Redis;
  readonly logger: Logger;
}

export interface Realtime {
  readonly legacyPort: number | undefined;
  /** To the sockets of this process, and of all others where there is a Redis. */
  readonly reportProgress: ReportUploadProgress;
  /** Before the HTTP server is closed, which would wait for the sockets. */
  close(): Promise<void>;
}

/** Socket.io on the API's port and on the seed's. @throws Error with the system's `code` when the seed's port is taken. */
export async function startRealtime({ http, legacyPort, host, authenticate, store, redis, logger }: RealtimeOptions): Promise<Realtime> {
  const legacyHttp = legacyPort === undefined ? undefined : await listen(legacyPort, host);
  const feed = createEventFeed({ store, logger });
  const main = createSocketServer(http, { progressFor: 'owner', authenticate, feed, logger });
  const legacy = legacyHttp && createSocketServer(legacyHttp, { progressFor: 'everyone', authenticate, feed, logger });

  const deliver = onlyRising((step) => {
    main.deliverProgress(step);
    legacy?.deliverProgress(step);
  });
  const bridge = redis && bridgeSockets(main.io, redis, logger, deliver);

  return {
    legacyPort: legacyHttp && (legacyHttp.address() as AddressInfo).port,
    reportProgress: (step) => {
      deliver(step);
      bridge?.report(step);
    },
    close: async () => {
      main.close();
      legacy?.close();
      bridge?.close();
      await feed.close();
      if (legacyHttp !== undefined) await new Promise((resolve) => legacyHttp.close(resolve));
    },
  };
}

async function listen(port: number, host?: string): Promise<HttpServer> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}
