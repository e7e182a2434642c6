import type { Config } from '../config/config.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { SystemReport } from '../features/operators/index.ts';
import { readProcesses } from '../postgres/processes.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

type Engine = SystemReport['engines']['database'];

/** Nobody waits longer for the version of an engine (ms). */
const VERSION_TIMEOUT_MS = 500;

/** Reads what runs, and on which engines. Works for any process: the others are known from their signs of life. */
export function systemReport(
  { config }: Pick<Process, 'config'>,
  services: Pick<Services, 'pool' | 'rawStore' | 'redis' | 'files'>,
): () => Promise<SystemReport> {
  const { pool, rawStore } = services;
  return async () => {
    const [processes, head, sizes, engines] = await Promise.all([
      readProcesses(pool),
      rawStore.head(),
      pool.query<{ version: string; log: bigint; database: bigint }>(
        `select current_setting('server_version') as version, pg_total_relation_size('reelstream.events') as log,
           pg_database_size(current_database()) as database`,
      ),
      otherEngines(config, services),
    ]);
    const { version, log, database } = sizes.rows[0]!;
    const postgres: Engine = {
      engine: 'PostgreSQL',
      version: version.split(' ')[0]!,
      place: placeOf(config.databaseUrl),
    };
    const inPostgres = config.eventStoreUrl === undefined;
    return {
      processes: processes.map(({ isAlive, startedAt, lastSeenAt, ...process }) => ({
        ...process,
        startedAt: startedAt.toISOString(),
        lastSeenAt: lastSeenAt.toISOString(),
        state: isAlive ? 'alive' : 'lost',
      })),
      engines: {
        ...engines,
        database: postgres,
        eventStore: inPostgres
          ? postgres
          : { engine: 'EventStoreDB', version: null, place: placeOf(config.eventStoreUrl) },
      },
      log: {
        // Positions of the log in PostgreSQL have no gaps.
        events: inPostgres ? Number(head) : null,
        bytes: inPostgres ? Number(log) : null,
        appendsPerSecond: processes.reduce((sum, each) => sum + (each.isAlive ? each.appendsPerSecond : 0), 0),
        head: String(head),
      },
      databaseBytes: Number(database),
    };
  };
}

async function otherEngines(
  config: Config,
  { redis, files }: Pick<Services, 'redis' | 'files'>,
): Promise<Pick<SystemReport['engines'], 'runtime' | 'delivery' | 'cache' | 'objectStore' | 'ffmpeg'>> {
  const { kafka, redisUrl, minio, dataDir } = config;
  return {
    runtime: { engine: 'Node.js', version: process.versions.node, place: `${process.platform} ${process.arch}` },
    delivery:
      kafka === undefined
        ? { engine: 'direct', version: null, place: 'from the event store' }
        : { engine: 'Kafka', version: null, place: kafka.brokers.join(', ') },
    cache:
      redis === undefined
        ? { engine: 'memory', version: null, place: 'in each process' }
        : { engine: 'Redis', version: await redisVersion(redis), place: placeOf(redisUrl) },
    objectStore:
      minio === undefined
        ? { engine: 'folder', version: null, place: dataDir }
        : { engine: 'S3', version: null, place: `${minio.endpoint}:${minio.port}/${minio.bucket}` },
    ffmpeg: { engine: 'FFmpeg', version: files.ffmpegVersion, place: files.ffmpeg },
  };
}

async function redisVersion({ client }: NonNullable<Services['redis']>): Promise<string | null> {
  const asking = client.info('server').then(
    (text) => /redis_version:(\S+)/.exec(text)?.[1] ?? null,
    () => null,
  );
  return withTimeout(asking, VERSION_TIMEOUT_MS, () => null);
}

/** Host and port of a URL, which may contain a password. */
function placeOf(url: string | undefined): string {
  if (url === undefined) return 'embedded';
  return URL.canParse(url) ? new URL(url).host || 'this machine' : 'as configured';
}
