import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { EventStore } from '../../src/core/eventStore.ts';
import { createShownLog } from '../../src/core/shownLog.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { eventTypes, feed } from '../../src/features/index.ts';
import { createAuthenticator } from '../../src/http/request/authenticator.ts';
import { createClientAddress } from '../../src/http/request/clientAddress.ts';
import type { UserRole } from '../../src/http/route.ts';
import { createRealtime, type Realtime, type SocketLimits } from '../../src/realtime/realtime.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { followFeed, type FeedFollower, type FollowOptions } from './feedFollower.ts';
import { silent } from './mediaRig.ts';
import { fixedKeys } from '../../src/core/keyRing.ts';

/** The sockets of an API process. */
export interface RealtimeApi {
  readonly realtime: Realtime;
  /** Base URLs of `PORT` and `SOCKET_PORT`. */
  readonly main: string;
  readonly legacy: string;
  close(): Promise<void>;
}

export interface RealtimeApiOptions {
  readonly redis?: { readonly redis: Redis; readonly namespace: string };
  readonly limits?: Partial<SocketLimits>;
  readonly trustProxy?: boolean | number | string;
  /** The store of the rig by default. */
  readonly store?: EventStore;
  /** The main port; a free one by default. */
  readonly port?: number;
  /** Answers requests on the main port that are not Socket.io's; 418 by default. */
  readonly otherwise?: RequestListener;
}

export interface RealtimeRig {
  store(): EventStore;
  database(): TestDatabase;
  startApi(options?: RealtimeApiOptions): Promise<RealtimeApi>;
  /** A socket that does not reconnect. @throws its `connect_error` */
  connect(url: string, token?: unknown, options?: Partial<ManagerOptions & SocketOptions>): Promise<Socket>;
  /** A subscriber that reconnects. */
  follow(url: string, options: FollowOptions): FeedFollower;
  /** Appends `times` likes of a video. Returns their positions. */
  like(videoId: string, times?: number): Promise<string[]>;
  /**
   * Appends `times` changes of details, each of another video, with a description of `characters` characters. Returns
   * their positions.
   */
  retitle(times: number, characters?: number): Promise<string[]>;
}

const SECRET = 'secret';
export const socketToken = (id: string, seconds = 60, role: UserRole = 'user'): string =>
  jwt.sign({ id, name: 'Ada', username: 'ada', email: 'ada@example.org', role }, SECRET, { expiresIn: seconds });
const { verify } = createAuthenticator({ secret: fixedKeys(SECRET) });
/** The owner of every video that the rig likes. */
export const OWNER = 'owner';

/** Sockets on a real log, for the tests of a file. After each test, its sockets and servers are closed. */
export function useRealtime(): RealtimeRig {
  let database: TestDatabase;
  let store: EventStore;
  const sockets: Socket[] = [];
  const apis: RealtimeApi[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    store = createPostgresEventStore({ pool: database.pool });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await Promise.all(apis.splice(0).map((api) => api.close()));
  });
  afterAll(async () => {
    await store.close();
    await database[Symbol.asyncDispose]();
  });

  return {
    store: () => store,
    database: () => database,
    async startApi({ redis, limits, trustProxy = false, store: own = store, port = 0, otherwise } = {}) {
      const [[http, main], [legacyHttp, legacy]] = await Promise.all([listening(port, otherwise), listening(0)]);
      const realtime = createRealtime({
        http,
        legacyHttp,
        definition: feed,
        authenticate: verify,
        store: own,
        log: createShownLog(own, eventTypes),
        redis,
        logger: silent,
        addressOf: createClientAddress(trustProxy),
        limits: { perAddress: 10_000, catchUpsPerAddress: 10_000, ...limits },
      });
      let closed: Promise<unknown> | undefined;
      const api: RealtimeApi = {
        realtime,
        main,
        legacy,
        close: async () => {
          closed ??= realtime
            .close()
            .then(() =>
              Promise.all([http, legacyHttp].map((server) => new Promise((resolve) => server.close(resolve)))),
            );
          await closed;
        },
      };
      apis.push(api);
      return api;
    },
    async connect(url, token, options) {
      const auth = token === undefined ? {} : { token };
      const socket = io(url, { auth, transports: ['websocket'], forceNew: true, reconnection: false, ...options });
      sockets.push(socket);
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
      return socket;
    },
    follow(url, options) {
      const follower = followFeed(url, options);
      sockets.push(follower.socket);
      return follower;
    },
    like: (videoId, times = 1) =>
      append(store, times, () => {
        const userId = randomUUID();
        return {
          stream: `like-${videoId}_${userId}`,
          type: 'VideoLiked',
          data: { videoId, userId, ownerId: OWNER, at },
        };
      }),
    retitle: (times, characters = 1) =>
      append(store, times, () => {
        const videoId = randomUUID();
        return {
          stream: `video-${videoId}`,
          type: 'VideoDetailsChanged',
          data: { videoId, ownerId: OWNER, title: 'T', description: 'x'.repeat(characters), at },
        };
      }),
  };
}

const at = '2025-01-01T00:00:00.000Z';

async function append(
  store: EventStore,
  times: number,
  make: () => { readonly stream: string; readonly type: string; readonly data: object },
): Promise<string[]> {
  const appends = Array.from({ length: times }, () => {
    const { stream, type, data } = make();
    const event = { id: randomUUID(), type, data, metadata: { correlationId: 'c', schemaVersion: 1 } };
    return { stream, events: [event], expected: 'none' as const };
  });
  const positions = (await store.appendMany(appends)).map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.position;
  });
  return positions.sort((a, b) => (a < b ? -1 : 1)).map(String);
}

async function listening(
  port: number,
  otherwise: RequestListener = (_request, response) => response.writeHead(418).end(),
): Promise<[Server, string]> {
  const server = createServer(otherwise).listen(port, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}
