import { join } from 'node:path';
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import { folderError, openDataFolder } from '../config/dataFolder.ts';
import { StartError } from '../core/startError.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { takeInstanceLock, type InstanceLock } from './instanceLock.ts';
import { isServerOf, readPidFile, removeStaleFiles, type PidFile } from './pidFile.ts';
import { spawnPostmaster, stopForeignServer, untilReady, type Postmaster } from './postmaster.ts';
import { makeSocketFolder, removeSocketFolder, SOCKET } from './socketFolder.ts';
import { someoneListens } from './unixSocket.ts';

const DATABASE = 'reelstream';
/** The server is restarted at most so many times in a minute. */
const MAX_RESTARTS = 5;
/** A start after a crash may have to replay a long write-ahead log (ms). */
const START_TIMEOUT_MS = 120_000;
/** The children of a killed server end after a moment. If they do not, something else is wrong (ms). */
const CONFLICT_TIMEOUT_MS = 15_000;

export interface EmbeddedPostgresOptions {
  /** The cluster is in its subfolder `postgres`. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Further server settings, which override ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Aborts the start, which then fails with the reason of the signal and leaves nothing running. */
  readonly signal?: AbortSignal;
  /** Called when the server has ended by itself and cannot be restarted. */
  readonly onFailure?: (error: Error) => void;
}

export interface EmbeddedPostgres {
  /** A connection string for `pg`. It stays the same when the server is restarted. */
  readonly url: string;
  /** Whether this start has created the data folder. */
  readonly created: boolean;
  /** Disconnects all clients, writes a checkpoint, and resolves when all processes have ended. */
  stop(): Promise<void>;
}

/**
 * Runs PostgreSQL on `dataDir` as part of this process. The server is restarted when it ends by itself, and stopped when this
 * process ends. A watchdog stops it when this process is killed. If the watchdog fails too, the next start stops it.
 * @throws StartError when that is not possible, or when another ReelStream runs on that folder.
 */
export async function startEmbeddedPostgres({
  dataDir,
  logger,
  settings = {},
  signal,
  onFailure,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await using parts = new AsyncDisposableStack();
  const lock = await lockFolder(dataDir);
  parts.defer(() => lock.release());
  const cluster = await openCluster(dataDir);
  const socketFolder = await makeSocketFolder(cluster);
  parts.defer(() => removeSocketFolder(socketFolder));
  const stopping = new AbortController();
  const plan = { cluster, logger, socketFolder, settings };
  let running = await startServer(plan, AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])]));
  const { url } = running;

  const watch = async (): Promise<void> => {
    for (const ends: number[] = []; ;) {
      await running.exited;
      if (stopping.signal.aborted) return;
      ends.push(Date.now());
      if (ends.filter((end) => end > Date.now() - 60_000).length > MAX_RESTARTS) throw notStarted(cluster, running);
      logger.error('PostgreSQL ended by itself; restarting it');
      running = await startServer(plan, stopping.signal);
      if (stopping.signal.aborted) return running.stop();
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!stopping.signal.aborted) onFailure?.(error as Error);
  });

  const resources = parts.move();
  return {
    url,
    created: cluster.created,
    async stop() {
      stopping.abort();
      await running.stop();
      await watching;
      await resources.disposeAsync();
    },
  };
}

/** The URL of the server that a running ReelStream has on this data folder, if there is one. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const server = await readPidFile(join(dataDir, 'postgres'));
  // Its process id cannot tell, since the server may run in another container.
  return server?.ready && (await listens(server.socketFolder)) ? urlOf(server, DATABASE) : undefined;
}

async function lockFolder(dataDir: string): Promise<InstanceLock> {
  let lock: InstanceLock | undefined;
  try {
    openDataFolder(dataDir);
    lock = await takeInstanceLock(dataDir);
  } catch (error) {
    throw folderError(dataDir, error);
  }
  if (lock === undefined) throw inUse(dataDir);
  return lock;
}

/** What stays the same when the server is restarted. */
interface Plan {
  readonly cluster: Cluster;
  /** From `makeSocketFolder`. */
  readonly socketFolder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

interface Running extends Pick<Postmaster, 'exited' | 'messages' | 'stop'> {
  readonly url: string;
}

async function startServer({ cluster, socketFolder, settings, logger }: Plan, signal: AbortSignal): Promise<Running> {
  let deadline: number | undefined;
  for (;;) {
    await stopEarlierServer(cluster, socketFolder, logger, signal);
    deadline ??= Date.now() + CONFLICT_TIMEOUT_MS;
    signal.throwIfAborted();
    const postmaster = spawnPostmaster(cluster, { unix_socket_directories: socketFolder, ...settings }, logger);
    const ready = await untilReady(cluster, postmaster, START_TIMEOUT_MS, signal);
    if (ready !== undefined) return prepare(postmaster, ready);
    await postmaster.stop();
    signal.throwIfAborted();
    // Children of a killed server are still running: try again.
    const conflict = postmaster.messages.some((line) =>
      /lock file .* already exists|shared memory block .* still in use/.test(line),
    );
    if (!conflict || Date.now() > deadline) throw notStarted(cluster, postmaster);
    await delay(200);
  }
}

async function prepare(postmaster: Postmaster, ready: PidFile): Promise<Running> {
  try {
    await createDatabase(ready);
    return { url: urlOf(ready, DATABASE), ...postmaster };
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

/** Stops the server of an earlier ReelStream process that was killed. That process has ended, since this one holds its lock. */
async function stopEarlierServer(
  { folder }: Cluster,
  ownSockets: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const earlier = await readPidFile(folder);
  if (earlier !== undefined && (await isServerOf(folder, earlier.pid))) {
    logger.warn({ pid: earlier.pid }, 'stopping the PostgreSQL that an earlier run has left behind');
    await stopForeignServer(folder, earlier.pid);
  }
  // A server in another container is not among our processes, but it still listens on its socket.
  for (
    const deadline = Date.now() + CONFLICT_TIMEOUT_MS;
    (await listens(earlier?.socketFolder)) || (await listens(folder));
    await pause(50, signal)
  ) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw inUse(folder);
  }
  if (earlier?.socketFolder !== undefined && earlier.socketFolder !== ownSockets)
    await removeSocketFolder(earlier.socketFolder);
  await removeStaleFiles(folder);
}

async function listens(socketFolder: string | undefined): Promise<boolean> {
  return socketFolder !== undefined && (await someoneListens(socketFolder, SOCKET));
}

/** Unless it exists. */
async function createDatabase(ready: PidFile): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(ready, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Sets every option, since `pg` takes missing ones from PGPORT, PGSSLMODE, PGOPTIONS and similar variables of the user. */
function urlOf({ socketFolder }: PidFile, database: string): string {
  // `options` is a blank, since `pg` ignores an empty option.
  const rest = {
    sslmode: 'disable',
    sslnegotiation: 'postgres',
    options: ' ',
    replication: 'false',
    client_encoding: 'UTF8',
  };
  const query = Object.entries({ host: socketFolder ?? '', ...rest }).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `postgres://reelstream@localhost:5432/${database}?${query.join('&')}`;
}

function inUse(folder: string): StartError {
  return new StartError(`${folder} is in use by another ReelStream. Stop that one, or set DATA_DIR to another folder.`);
}

function notStarted(cluster: Cluster, { messages }: Pick<Postmaster, 'messages'>): Error {
  if (messages.some((line) => line.includes('No space left'))) {
    return new StartError(
      `PostgreSQL does not run on ${cluster.folder}: the disk is full. Free some space, or set DATA_DIR to another folder.`,
    );
  }
  const reason =
    messages.findLast((line) => /^(FATAL|PANIC):/.test(line)) ?? messages.at(-1) ?? 'it did not become ready in time';
  return new StartError(
    `PostgreSQL does not run on ${cluster.folder}: ${reason}. Fix this, or set DATA_DIR to another folder.`,
  );
}
