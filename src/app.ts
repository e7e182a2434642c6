import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import type { Logger } from 'pino';
import { projections } from '../projections/index.ts';
import { createAccountQueries } from './accounts/accountQueries.ts';
import { createPasswords } from './accounts/passwords.ts';
import { accountRoutes } from './accounts/routes.ts';
import { analyticsRoutes } from './analytics/routes.ts';
import { createQueryCache } from './cache/queryCache.ts';
import { createRedisGate, type RedisGate } from './cache/redisGate.ts';
import { createRedisSharedCache } from './cache/redisSharedCache.ts';
import type { Config, KafkaConfig, Role } from './config.ts';
import { createEventCodec, type EventCodec } from './core/eventCodec.ts';
import { openPostgresUserKeys } from './core/postgresUserKeys.ts';
import { hmacName } from './core/sealing.ts';
import { createDirectSource } from './delivery/directSource.ts';
import type { EventSource } from './delivery/eventSource.ts';
import { createKafkaClient } from './delivery/kafkaClient.ts';
import { createKafkaRelay } from './delivery/kafkaRelay.ts';
import { createKafkaSource } from './delivery/kafkaSource.ts';
import { createEventStoreDbStore } from './eventStore/eventStoreDbEventStore.ts';
import type { EventStore } from './eventStore/eventStore.ts';
import { createPostgresEventStore } from './eventStore/postgresEventStore.ts';
import { withCodec } from './eventStore/withCodec.ts';
import { eventTypes } from './eventTypes.ts';
import { createAuthenticator } from './http/authenticator.ts';
import { createHealth, type Health, type HealthCheck } from './http/health.ts';
import { createHttpApp, createOpsApp } from './http/httpApp.ts';
import { startHttpServer, type HttpServer } from './http/httpServer.ts';
import { createPostgresIdempotency } from './http/postgresIdempotency.ts';
import { createLikeCommands } from './likes/likeCommands.ts';
import { createLikeQueries } from './likes/likeQueries.ts';
import { likeRoutes } from './likes/routes.ts';
import { findFfmpegTools, type FfmpegTools } from './media/ffmpegTools.ts';
import { createInspector, type Inspect } from './media/inspect.ts';
import { createMediaJobs } from './media/mediaJobs.ts';
import { createMediaProcessManager } from './media/mediaProcessManager.ts';
import { createMediaWorker } from './media/mediaWorker.ts';
import type { ReportUploadProgress } from './media/progress.ts';
import { createScratch, type Scratch } from './media/scratch.ts';
import { createFolderObjectStore } from './objectStore/folderObjectStore.ts';
import { createMediaHandler } from './objectStore/mediaHandler.ts';
import { createMinioObjectStore } from './objectStore/minioObjectStore.ts';
import type { ObjectStore } from './objectStore/objectStore.ts';
import { portError } from './portError.ts';
import { openDatabase } from './postgres/database.ts';
import { migrate } from './postgres/migrate.ts';
import { createPool } from './postgres/pool.ts';
import { projectionConsumer, type Consumer } from './projecting/consumer.ts';
import { createSharedProgress, type SharedProgress } from './projecting/progressNews.ts';
import { decodeFor } from './projecting/decoding.ts';
import { createProjector } from './projecting/projector.ts';
import { createRateLimits } from './rateLimits/createRateLimits.ts';
import { createRealtime, type Realtime } from './realtime/realtime.ts';
import { createProgressEmitter } from './realtime/redisSockets.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { createTokens, type Tokens } from './sessions/tokens.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { observedEventStore } from './telemetry/observedEventStore.ts';
import { startTracing, type Tracing } from './telemetry/tracing.ts';
import { videoRoutes } from './videos/routes.ts';
import { createVideoQueries } from './videos/videoQueries.ts';
import { createViewRecorder } from './views/viewRecorder.ts';

/** A running system, whole or the part of it that one process holds. */
export interface App {
  /** Where it listens; the ports are the real ones also where 0 was asked for. */
  readonly port: number;
  readonly socketPort: number | undefined;
  /** There was no data before. */
  readonly firstStart: boolean;
  /** Lets what is under way finish, for `SHUTDOWN_SECONDS`, then ends everything in the reverse order of its start. */
  stop(): Promise<void>;
}

/**
 * Starts these roles. When it fails, whatever had been started is ended again.
 * @throws StartError when the settings or the machine do not allow it.
 */
export async function startApp(config: Config, roles: readonly Role[], log: Logger): Promise<App> {
  await using parts = new AsyncDisposableStack();
  const has = (role: Role): boolean => roles.includes(role) || roles.includes('serve');
  const draining = new AbortController();
  // The ports come first: a taken one is found out before anything is written.
  const door = await openDoor('PORT', config.port, { config, parts });
  const legacyDoor = config.socketPort === undefined || !has('api') ? undefined : await openDoor('SOCKET_PORT', config.socketPort, { config, parts });
  const { engines, firstStart } = await openEngines({ config, log, parts, port: door.port, draining: draining.signal });

  const tokens = tokensOf(config);
  const realtime = has('api') ? openRealtime(engines, tokens, door, legacyDoor) : undefined;
  const reportProgress = realtime?.reportProgress ?? progressEmitter(engines);

  if (has('relay')) await startRelay(engines);
  await startConsumers(engines, {
    projections: has('projector') ? projections.map(projectionConsumer) : [],
    media: has('media') ? [await startMedia(engines, reportProgress)] : [],
  });

  const { metrics, checks } = engines;
  const health = createHealth({ checks, log, draining: draining.signal });
  const opsApp = createOpsApp({ log, health, metrics });
  door.open(has('api') ? createApi(engines, { health, tokens, reportProgress }) : opsApp);
  legacyDoor?.open(opsApp);

  const running = parts.move();
  return {
    port: door.port,
    socketPort: legacyDoor?.port,
    firstStart,
    async stop() {
      draining.abort(new Error('the process is stopping'));
      // Sockets would keep the ports open; the parts are still needed by requests under way.
      await realtime?.close();
      await door.close(config.shutdownSeconds * 1_000);
      await running.disposeAsync();
    },
  };
}

/** A port that is taken at once, and answered for as soon as there is an application. */
interface Door extends HttpServer {
  open(app: RequestListener): void;
}

async function openDoor(variable: 'PORT' | 'SOCKET_PORT', port: number, { config, parts }: Pick<Engines, 'config' | 'parts'>): Promise<Door> {
  const { host, shutdownSeconds } = config;
  let answer: RequestListener = (_request, response) => void response.writeHead(503, { 'Retry-After': '1' }).end();
  try {
    const server = await startHttpServer((request, response) => answer(request, response), { port, host });
    parts.defer(() => server.close(shutdownSeconds * 1_000));
    return { ...server, open: (app) => (answer = app) };
  } catch (error) {
    throw portError(error, { variable, port, host });
  }
}

/** What the roles are made of. */
interface Engines {
  readonly config: Config;
  readonly log: Logger;
  /** Ended in the reverse of the order in which they were added. */
  readonly parts: AsyncDisposableStack;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly checks: HealthCheck[];
  readonly databaseUrl: string;
  /** For commands and queries. */
  readonly pool: pg.Pool;
  /** The log as it lies there: personal data sealed, old versions old. */
  readonly rawStore: EventStore;
  readonly codec: EventCodec;
  /** The log as the domain knows it. */
  readonly store: EventStore;
  readonly progress: SharedProgress;
  readonly objects: ObjectStore;
  readonly redis: SharedRedis | undefined;
  readonly tools: FfmpegTools;
  readonly scratch: Scratch;
  readonly inspect: Inspect;
}

interface SharedRedis {
  readonly client: Redis;
  readonly gate: RedisGate;
  /** Tells the keys of one system from those of another that uses the same Redis. */
  readonly namespace: string;
}

interface Opening extends Pick<Engines, 'config' | 'log' | 'parts' | 'draining'> {
  /** Where the process listens. */
  readonly port: number;
}

async function openEngines({ config, log, parts, draining, port }: Opening): Promise<{ engines: Engines; firstStart: boolean }> {
  const metrics = createMetrics();
  const tracing = await startTracing({ endpoint: config.otlpEndpoint, service: `reelstream-${config.role}` });
  parts.defer(() => tracing.close());
  const findingTools = findFfmpegTools({ ...config, binFolder: join(config.dataDir, 'bin'), searchPath: process.env['PATH'] });
  findingTools.catch(() => undefined);
  const database = await openDatabase({ config, log, onFailure: crash });
  parts.defer(() => database.close());
  const engines = { config, log, parts, draining, metrics, tracing, databaseUrl: database.url };
  const pool = openPool(engines, 'queries', 10);
  await migrate(pool);

  const rawStore = openEventStore(engines);
  parts.defer(() => rawStore.close());
  const keys = await openPostgresUserKeys({ pool, masterKey: config.secrets.dataKey });
  const codec = createEventCodec({ types: eventTypes, keys });
  const store = observedEventStore(withCodec(rawStore, codec), { tracing, metrics });
  const progress = createSharedProgress({ pool, projections: projections.map(({ name }) => name), log });
  await progress.start();
  parts.defer(() => progress.close());
  const scratch = await createScratch(join(config.dataDir, 'tmp'));
  parts.defer(() => scratch.close());
  const objects = await openObjectStore(config, parts, port);
  const redis = await openRedis(config, log, parts, pool);
  const tools = await findingTools;
  log.info({ ffmpeg: tools.ffmpeg, ffprobe: tools.ffprobe }, 'found FFmpeg');
  const checks: HealthCheck[] = [
    { name: 'postgres', required: true, check: async () => void (await pool.query('select 1')) },
    { name: 'eventStore', required: true, check: async () => ({ head: String(await rawStore.head()) }) },
    { name: 'objectStore', required: false, check: () => objects.check() },
  ];
  if (redis !== undefined) checks.push({ name: 'redis', required: false, check: async () => void (await redis.client.ping()) });
  const inspect = createInspector({ ffprobe: tools.ffprobe.path });
  return { engines: { ...engines, pool, rawStore, codec, store, progress, objects, redis, tools, scratch, inspect, checks }, firstStart: database.created };
}

function openPool({ databaseUrl, log, parts, config }: Pick<Engines, 'databaseUrl' | 'log' | 'parts' | 'config'>, use: string, max: number): pg.Pool {
  const onError = (error: Error): void => log.warn({ err: error }, 'a connection to PostgreSQL was lost');
  const pool = createPool({ connectionString: databaseUrl, name: `${config.role} ${use}`, max, onError });
  parts.defer(() => pool.end());
  return pool;
}

function openEventStore(engines: Pick<Engines, 'databaseUrl' | 'log' | 'parts' | 'config'>): EventStore {
  const { log, config } = engines;
  if (config.eventStoreUrl === undefined) return createPostgresEventStore({ pool: openPool(engines, 'log', 8), log });
  return createEventStoreDbStore({ url: config.eventStoreUrl, log });
}

const MEDIA_PATH = '/media';
const objectFolder = ({ dataDir }: Config): string => join(dataDir, 'objects');

async function openObjectStore(config: Config, parts: AsyncDisposableStack, port: number): Promise<ObjectStore> {
  const { minio } = config;
  if (minio === undefined) return createFolderObjectStore({ root: objectFolder(config), publicUrl: `http://localhost:${port}${MEDIA_PATH}` });
  const { endpoint, useSsl } = minio;
  const publicUrl = minio.publicUrl ?? `${useSsl ? 'https' : 'http'}://${endpoint}:${minio.port}`;
  const store = createMinioObjectStore({ ...minio, endPoint: endpoint, useSSL: useSsl, publicUrl });
  parts.defer(() => store.close());
  return store;
}

async function openRedis({ redisUrl, secrets }: Config, log: Logger, parts: AsyncDisposableStack, pool: pg.Pool): Promise<SharedRedis | undefined> {
  if (redisUrl === undefined) return undefined;
  const { rows } = await pool.query<{ name: string }>(`select oid || ' ' || datname as name from pg_database where datname = current_database()`);
  const client = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  // The gate says when it is away, once; without a listener every try to connect would be printed.
  client.on('error', (error) => log.debug({ err: error }, 'Redis cannot be reached'));
  parts.defer(() => client.disconnect());
  const gate = createRedisGate({ redis: client, logger: log });
  parts.defer(() => gate.close());
  return { client, gate, namespace: hmacName(secrets.dataKey, 'namespace', rows[0]!.name).slice(0, 12) };
}

function tokensOf({ secrets, accessTokenSeconds, refreshTokenSeconds }: Config): Tokens {
  return createTokens({ accessSecret: secrets.jwt, accessSeconds: accessTokenSeconds, refreshSecret: secrets.refresh, refreshSeconds: refreshTokenSeconds });
}

function openRealtime({ log, parts, store, redis }: Engines, tokens: Tokens, door: Door, legacyDoor: Door | undefined): Realtime {
  const realtime = createRealtime({
    http: door.server, legacyHttp: legacyDoor?.server, authenticate: (token) => tokens.verifyAccess(token), store, redis: redis?.client, logger: log,
  });
  parts.defer(() => realtime.close());
  return realtime;
}

/** Without a Redis, progress made in a process without sockets reaches nobody. */
function progressEmitter({ redis, log, parts }: Engines): ReportUploadProgress {
  if (redis === undefined) return () => undefined;
  const emitter = createProgressEmitter(redis.client, log);
  parts.defer(() => emitter.close());
  return emitter.report;
}

/** Runs media jobs; answers the consumer that makes them out of events. */
async function startMedia({ config, log, parts, databaseUrl, store, objects, scratch, inspect, tools }: Engines, reportProgress: ReportUploadProgress): Promise<Consumer> {
  await scratch.sweep();
  const jobs = createMediaJobs({ connectionString: databaseUrl, logger: log, alone: config.databaseUrl === undefined });
  await jobs.start();
  parts.defer(() => jobs.close());
  const worker = createMediaWorker({ store, objects, scratch, inspect, ffmpeg: tools.ffmpeg.path, reportProgress });
  await jobs.work(worker, { concurrency: config.mediaConcurrency });
  return createMediaProcessManager({ jobs });
}

/** With Kafka each group has its own way to the events; without, all consumers of the process share one subscription. */
async function startConsumers(engines: Engines, groups: { readonly projections: Consumer[]; readonly media: Consumer[] }): Promise<void> {
  if (engines.config.kafka === undefined) return startGroup(engines, 'consumers', Object.values(groups).flat());
  for (const [group, consumers] of Object.entries(groups)) await startGroup(engines, group, consumers);
}

async function startGroup(engines: Engines, group: string, consumers: readonly Consumer[]): Promise<void> {
  if (consumers.length === 0) return;
  const { log, parts, rawStore, codec, progress, checks } = engines;
  const pool = openPool(engines, group, consumers.length + 3);
  const source = openSource(engines, group, pool);
  parts.defer(() => source.close());
  const decode = decodeFor(eventTypes, codec);
  const projector = createProjector({ pool, store: rawStore, decode, source, consumers, log, onMoved: (move) => progress.moved(move) });
  parts.defer(() => projector.stop());
  await projector.start();
  checks.push({ name: group, required: false, check: () => Promise.resolve(projector.states()) });
}

function openSource({ config, log, rawStore, checks }: Engines, group: string, pool: pg.Pool): EventSource {
  if (config.kafka === undefined) return createDirectSource({ store: rawStore, log });
  const { topic } = config.kafka;
  const source = createKafkaSource({ kafka: kafkaOf(config.kafka, config.role, log), topic, groupId: `${topic}.${group}`, pool, store: rawStore, log });
  checks.push({ name: `kafka ${group}`, required: false, check: () => told(source.state(), ['away', 'refused']) });
  return source;
}

/** Copies the log to Kafka, for as long as no other relay does. */
async function startRelay(engines: Engines): Promise<void> {
  const { config, log, parts, rawStore, checks } = engines;
  if (config.kafka === undefined) return;
  const relay = createKafkaRelay({ ...config.kafka, kafka: kafkaOf(config.kafka, config.role, log), pool: openPool(engines, 'relay', 4), store: rawStore, log });
  parts.defer(() => relay.stop());
  await relay.start();
  checks.push({ name: 'kafka relay', required: false, check: () => told(relay.state(), ['away', 'refused']) });
}

function kafkaOf({ brokers }: KafkaConfig, role: Role, log: Logger): Kafka {
  return createKafkaClient({ brokers, clientId: `reelstream-${role}`, log });
}

/** What a part says of itself, as a health check has it. */
async function told<State extends { readonly state: string; readonly reason?: string; readonly position?: bigint }>(
  { state, reason, position }: State,
  bad: readonly State['state'][],
): Promise<Record<string, string>> {
  if (bad.includes(state)) throw new Error(reason ?? state);
  return { state, ...(position !== undefined && { position: String(position) }) };
}

interface ApiParts {
  readonly health: Health;
  readonly tokens: Tokens;
  readonly reportProgress: ReportUploadProgress;
}

function createApi(engines: Engines, { health, tokens, reportProgress }: ApiParts): RequestListener {
  const { config, log, parts, metrics, tracing, pool, store, objects, redis, progress, scratch, inspect } = engines;
  const { secrets } = config;
  const nameHash = (kind: 'email' | 'username', name: string): string => hmacName(secrets.dataKey, kind, name);
  const passwords = createPasswords();
  const cache = createQueryCache({ progress, shared: redis && createRedisSharedCache(redis) });
  parts.defer(() => cache.close());
  const views = createViewRecorder({ store, logger: log, secret: hmacName(secrets.dataKey, 'viewer', ''), shared: redis });
  parts.defer(() => views.close());
  const idempotency = createPostgresIdempotency({ pool, secret: hmacName(secrets.dataKey, 'idempotency', ''), log });
  parts.defer(() => idempotency.close());
  const queries = createVideoQueries({ pool, urls: objects });
  const likes = createLikeQueries({ pool, store });
  const { windowSeconds: seconds, enabled, max, authMax, uploadMax } = config.rateLimits;

  return createHttpApp({
    routes: [
      ...accountRoutes({ store, nameHash, passwords, queries: createAccountQueries({ pool }), videosOf: (userId) => queries.ofOwner(userId), progress }),
      ...sessionRoutes({ store, nameHash, passwords, tokens, secureCookies: config.production }),
      ...videoRoutes({
        store, objects, cache, views, progress, scratch, inspect, queries, likes,
        reportProgress, uploadWaitMs: config.uploadWaitSeconds * 1_000,
      }),
      ...likeRoutes({ commands: createLikeCommands({ store }), queries: likes, progress }),
      ...analyticsRoutes({ pool, progress }),
    ],
    media: config.minio === undefined ? { path: MEDIA_PATH, handler: createMediaHandler({ root: objectFolder(config) }) } : undefined,
    log, metrics, tracing, health, idempotency,
    authenticator: createAuthenticator({ secret: secrets.jwt }),
    rateLimits: createRateLimits({
      enabled, redis,
      limits: { general: { points: max, seconds }, auth: { points: authMax, seconds }, upload: { points: uploadMax, seconds } },
    }),
    cors: config.corsOrigins.includes('*') ? 'default' : config.corsOrigins,
    trustProxy: config.trustProxy,
  });
}

/** Ends the process the way any error does that nobody expected. */
function crash(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
