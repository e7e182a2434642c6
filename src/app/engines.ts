import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import type { Logger } from 'pino';
import { projections } from '../../projections/index.ts';
import { createRedisClient } from '../cache/redisClient.ts';
import { createRedisGate, type RedisGate } from '../cache/redisGate.ts';
import type { Config } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import { hmacName } from '../core/sealing.ts';
import { madeIn, openDataFolder } from '../config/dataFolder.ts';
import type { EventStore } from '../core/eventStore.ts';
import { withCodec } from '../eventStore/withCodec.ts';
import type { HealthCheck } from '../http/server/health.ts';
import { findFfmpegTools, type FfmpegTools } from '../media/ffmpeg/ffmpegTools.ts';
import { findSandbox, type FoundSandbox } from '../media/ffmpeg/findSandbox.ts';
import { createInspector, type Inspect } from '../media/inspecting/inspect.ts';
import type { Sandbox } from '../media/ffmpeg/sandbox.ts';
import { createScratch, type Scratch } from '../media/receiving/scratch.ts';
import { createFolderObjectStore } from '../objectStore/folderObjectStore.ts';
import { createMinioObjectStore } from '../objectStore/minioObjectStore.ts';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import { ownUrl } from '../config/ownUrl.ts';
import { createSharedProgress, type SharedProgress } from '../projecting/progress/sharedProgress.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { observedEventStore } from '../telemetry/observedEventStore.ts';
import { showProjectionLag } from '../telemetry/projectionLag.ts';
import { startTracing, type Tracing } from '../telemetry/tracing.ts';
import { openEventLog, type EventLog } from './eventLog.ts';

/** What the roles are made of. */
export interface Engines extends EventLog {
  readonly config: Config;
  readonly log: Logger;
  /** Ended in the reverse of the order in which they were added. */
  readonly parts: AsyncDisposableStack;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly checks: HealthCheck[];
  /** The log as the domain knows it. */
  readonly store: EventStore;
  readonly progress: SharedProgress;
  readonly objects: ObjectStore;
  readonly redis: SharedRedis | undefined;
  readonly tools: FfmpegTools;
  readonly sandbox: Sandbox;
  readonly scratch: Scratch;
  readonly inspect: Inspect;
}

export interface SharedRedis {
  readonly client: Redis;
  readonly gate: RedisGate;
  /** Tells the keys of one system from those of another that uses the same Redis. */
  readonly namespace: string;
}

interface Opening extends Pick<Engines, 'config' | 'log' | 'parts' | 'draining'> {
  /** Where the process listens. */
  readonly port: number;
  /** Ends a start that is under way. */
  readonly starting: AbortSignal;
}

export async function openEngines({
  config,
  log,
  parts,
  draining,
  port,
  starting,
}: Opening): Promise<{ engines: Engines; firstStart: boolean }> {
  openDataFolder(config.dataDir);
  const metrics = createMetrics();
  const tracing = await startTracing({ endpoint: config.otlpEndpoint, service: `reelstream-${config.role}` });
  parts.defer(() => tracing.close());
  const scratchRoot = join(config.dataDir, 'tmp');
  const scratch = await madeIn(config.dataDir, createScratch(scratchRoot));
  parts.defer(() => scratch.close());
  const findingTools = findTools(config, scratch, scratchRoot);
  // Awaited only after the database has been opened; a rejection before that must not end the process.
  findingTools.catch(() => undefined);
  // It works in the scratch folder.
  parts.defer(() =>
    findingTools.then(
      () => undefined,
      () => undefined,
    ),
  );
  const { firstStart, ...eventLog } = await openEventLog({ config, log, parts, signal: starting });
  const { pool, rawStore, codec } = eventLog;
  const store = observedEventStore(withCodec(rawStore, codec), { tracing, metrics });
  const progress = createSharedProgress({ pool, projections: projections.map(({ name }) => name), log });
  parts.defer(() => progress.close());
  // Only requests wait for projections, and each process that listens is woken by every notification.
  if (config.role === 'serve' || config.role === 'api') {
    await abortable(progress.start(), starting);
    showProjectionLag({ metrics, store: rawStore, progress, projections: projections.map(({ name }) => name) });
  }
  const objects = await openObjectStore({ config, log, parts, port, starting });
  const redis = await abortable(openRedis(config, log, parts, pool), starting);
  const { tools, found } = await abortable(findingTools, starting);
  logTools(log, tools, found);
  const { sandbox } = found;
  const checks: HealthCheck[] = [
    { name: 'postgres', required: true, check: async () => void (await pool.query('select 1')) },
    { name: 'eventStore', required: true, check: async () => ({ head: String(await rawStore.head()) }) },
    { name: 'objectStore', required: false, check: () => objects.check() },
  ];
  if (redis !== undefined)
    checks.push({ name: 'redis', required: false, check: async () => void (await redis.client.ping()) });
  const inspect = createInspector({ ffprobe: tools.ffprobe.path, sandbox });
  return {
    engines: {
      config,
      log,
      parts,
      draining,
      metrics,
      tracing,
      ...eventLog,
      store,
      progress,
      objects,
      redis,
      tools,
      sandbox,
      scratch,
      inspect,
      checks,
    },
    firstStart,
  };
}

async function findTools(
  config: Config,
  scratch: Scratch,
  scratchRoot: string,
): Promise<{ tools: FfmpegTools; found: FoundSandbox }> {
  const tools = await findFfmpegTools({
    ...config,
    binFolder: join(config.dataDir, 'bin'),
    searchPath: process.env['PATH'],
  });
  return { tools, found: await findSandbox(tools, scratch, scratchRoot) };
}

function logTools(
  log: Logger,
  { ffmpeg, ffprobe, passedOver }: FfmpegTools,
  { description, weak }: FoundSandbox,
): void {
  for (const sentence of passedOver) log.warn(sentence);
  if (ffmpeg.source !== 'package') log.info({ ffmpeg, ffprobe }, 'found FFmpeg');
  else
    log.warn(
      { ffmpeg, ffprobe },
      'FFmpeg is the one from npm, which gets no security updates. Install the FFmpeg of your distribution, or set FFMPEG_PATH.',
    );
  if (weak) log.warn(description);
  else log.info(description);
}

export const MEDIA_PATH = '/media';
export const objectFolder = ({ dataDir }: Config): string => join(dataDir, 'objects');

async function openObjectStore({
  config,
  log,
  parts,
  port,
  starting,
}: Omit<Opening, 'draining'>): Promise<ObjectStore> {
  const { minio } = config;
  if (minio === undefined) {
    const publicUrl = `${config.publicUrl ?? ownUrl(config.host, port)}${MEDIA_PATH}`;
    return madeIn(config.dataDir, createFolderObjectStore({ root: objectFolder(config), publicUrl }));
  }
  const { endpoint, useSsl } = minio;
  const publicUrl = minio.publicUrl ?? `${useSsl ? 'https' : 'http'}://${endpoint}:${minio.port}`;
  const store = createMinioObjectStore({ ...minio, endPoint: endpoint, useSSL: useSsl, publicUrl });
  parts.defer(() => store.close());
  // The start does not wait: the store may come later.
  store.check().catch((error: unknown) => {
    const reason = (error as Error).message;
    if (!starting.aborted)
      log.warn(
        { reason },
        'The object store that MINIO_ENDPOINT names cannot be used yet. Until it can, uploads are answered with 503.',
      );
  });
  return store;
}

async function openRedis(
  { redisUrl, secrets }: Config,
  log: Logger,
  parts: AsyncDisposableStack,
  pool: pg.Pool,
): Promise<SharedRedis | undefined> {
  if (redisUrl === undefined) return undefined;
  const { rows } = await pool.query<{ name: string }>(
    `select oid || ' ' || datname as name from pg_database where datname = current_database()`,
  );
  const client = createRedisClient(redisUrl, log);
  parts.defer(() => client.disconnect());
  warnUntilFirstReady(client, log);
  const gate = createRedisGate({ redis: client, logger: log });
  parts.defer(() => gate.close());
  return { client, gate, namespace: hmacName(secrets.dataKey, 'namespace', rows[0]!.name).slice(0, 12) };
}

/** One warning if the first connection fails; after it, the gate tells of outages. The start does not wait: Redis may come later. */
function warnUntilFirstReady(client: Redis, log: Logger): void {
  const warn = (error: NodeJS.ErrnoException): void => {
    log.warn(
      { reason: error.message || error.code },
      'The Redis that REDIS_URL names cannot be used yet. Until it can, each process has a cache and rate limits of its own.',
    );
  };
  client.once('error', warn);
  client.once('ready', () => client.off('error', warn));
}
