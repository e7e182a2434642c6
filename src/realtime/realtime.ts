import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import type { EventStore } from '../core/eventStore.ts';
import type { ShownLog } from '../core/shownLog.ts';
import type { ClientAddress } from '../http/request/clientAddress.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { createFeedCounts, type FeedCounts, type SocketCounts } from '../telemetry/socketMetrics.ts';
import type { ReportUploadProgress } from './uploadProgress.ts';
import { createEventFeed, type EventFeed } from './eventFeed.ts';
import { eventsOfFeatures, eventsOfLog, type FeedContent, type Positioned } from './feedContent.ts';
import type { FeedDefinition } from './feedDefinition.ts';
import { createFeedSockets } from './feedSockets.ts';
import { onDemand } from './onDemand.ts';
import { onlyRising } from './progressDelivery.ts';
import { bridgeSockets, type SocketsRedis } from './redisSockets.ts';
import { createSocketOrigins } from './socketOrigins.ts';
import { createSocketServer, type AuthenticateSocket, type SocketRevocations } from './socketServer.ts';

export interface RealtimeOptions {
  /** The API's server, listening or not. */
  readonly http: HttpServer;
  /** The server on the port of the original server's clients; undefined with `LEGACY_SOCKET=false`. */
  readonly legacyHttp?: HttpServer;
  /** Which events are pushed, and to whom. */
  readonly definition: FeedDefinition;
  readonly authenticate: AuthenticateSocket;
  /** The sockets of a session that ends are closed. Without it, none is before its token expires. */
  readonly revocations?: SocketRevocations;
  readonly addressOf: ClientAddress;
  readonly limits: SocketLimits;
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  /** For the topic `log`. */
  readonly log: ShownLog;
  /** Connects the sockets of all API processes, and receives progress from media workers. */
  readonly redis?: SocketsRedis;
  readonly logger: Logger;
  readonly tracing?: Tracing;
}

/** Limits for one client address in this process, on both ports together. */
export interface SocketLimits {
  readonly perAddress: number;
  /** Subscriptions that are still catching up with past events. */
  readonly catchUpsPerAddress: number;
}

export interface Realtime {
  /** Reports to the sockets of this process and, with Redis, to those of all other processes. */
  readonly reportProgress: ReportUploadProgress;
  counts(): SocketCounts;
  /** Closes every connection, so that the HTTP servers can close. Clients reconnect by themselves. */
  close(): Promise<void>;
}

/** Starts Socket.io on the API's port and on the original server's port. */
export function createRealtime({
  http,
  legacyHttp,
  definition,
  authenticate,
  revocations,
  addressOf,
  limits,
  store,
  log,
  redis,
  logger,
  tracing,
}: RealtimeOptions): Realtime {
  const { catchUpsPerAddress } = limits;
  // Both feeds, and those that follow them, share it: subscribers who try again during an outage must not fill the log.
  const failed = createFailureLog(logger);
  const feedOf = <Event extends Positioned>(content: FeedContent<Event>, counts: FeedCounts): EventFeed =>
    createEventFeed({ content, failed, catchUpsPerAddress, tracing, counts });
  const feeds = { events: createFeedCounts(), log: createFeedCounts() };
  const feed = onDemand(() => feedOf(eventsOfFeatures(definition, store), feeds.events));
  const logFeed = onDemand(() => feedOf(eventsOfLog(log), feeds.log));
  const origins = createSocketOrigins({ addressOf, logger, perAddress: limits.perAddress });
  const serveFeed = createFeedSockets({ feed, logFeed, topics: definition.topics, logger });
  const common = { authenticate, revocations, origins, serveFeed };
  const main = createSocketServer(http, { ...common, progressFor: 'owner' });
  const legacy = legacyHttp && createSocketServer(legacyHttp, { ...common, progressFor: 'everyone' });

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
    counts: () => ({
      sockets: { main: main.io.of('/').sockets.size, legacy: legacy?.io.of('/').sockets.size ?? 0 },
      feeds,
    }),
    close: async () => {
      main.close();
      legacy?.close();
      bridge?.close();
      await Promise.all([feed.close(), logFeed.close()]);
    },
  };
}
