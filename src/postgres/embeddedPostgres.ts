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
import { spawnPostmaster, stopStranger, untilReady, type Postmaster } from './postmaster.ts';
import { makeSocketFolder, removeSocketFolder, SOCKET } from './socketFolder.ts';
import { someoneListens } from './unixSocket.ts';

const DATABASE = 'reelstream';
/** How often in a minute the server is brought back before we give up. */
const MOST_RESTARTS = 5;
/** Replaying the log of a busy crash takes its time (ms). */
const START_PATIENCE_MS = 120_000;
/** A server that has been killed leaves children that need a moment to notice; longer, and something else is wrong (ms). */
const CONFLICT_PATIENCE_MS = 15_000;

export interface EmbeddedPostgresOptions {
  /** The cluster lies in its subfolder `postgres`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** On top of ours, as on postgres' command line. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ends a start that is under way: it fails with the signal's reason, and has left nothing running. */
  readonly signal?: AbortSignal;
  /** The server ended by itself and cannot be brought back. */
  readonly onFailure?: (error: Error) => void;
}

export interface EmbeddedPostgres {
  /** For `pg`; stays the same when the server has to be brought back. */
  readonly url: string;
  /** The data folder was made by this start. */
  readonly created: boolean;
  /** Disconnects everyone, writes everything out, and resolves when no process is left. */
  stop(): Promise<void>;
}

/**
 * Runs PostgreSQL on `dataDir` as part of this process: brought back when it dies, stopped when we end, stopped by
 * a watchdog when we are killed, and taken over by the next start should all of that have failed.
 * @throws StartError with one sentence when it cannot, or when another ReelStream runs on that folder.
 */
export async function startEmbeddedPostgres({
  dataDir,
  log,
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
  const plan = { cluster, log, socketFolder, settings };
  let running = await bringUp(plan, AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])]));
  const { url } = running;

  const watch = async (): Promise<void> => {
    for (const ends: number[] = []; ;) {
      await running.exited;
      if (stopping.signal.aborted) return;
      ends.push(Date.now());
      if (ends.filter((end) => end > Date.now() - 60_000).length > MOST_RESTARTS) throw notStarted(cluster, running);
      log.error('PostgreSQL ended by itself; starting it again');
      running = await bringUp(plan, stopping.signal);
      if (stopping.signal.aborted) return running.stop();
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!stopping.signal.aborted) onFailure?.(error as Error);
  });

  const held = parts.move();
  return {
    url,
    created: cluster.created,
    async stop() {
      stopping.abort();
      await running.stop();
      await watching;
      await held.disposeAsync();
    },
  };
}

/** The URL of the server that some ReelStream runs on this data folder; undefined when none does. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const server = await readPidFile(join(dataDir, 'postgres'));
  // Not by its process id, which may be another container's.
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

/** What stays the same when the server has to be brought back. */
interface Plan {
  readonly cluster: Cluster;
  /** As `makeSocketFolder` gave it. */
  readonly socketFolder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Logger;
}

interface Running extends Pick<Postmaster, 'exited' | 'messages' | 'stop'> {
  readonly url: string;
}

async function bringUp({ cluster, socketFolder, settings, log }: Plan, signal: AbortSignal): Promise<Running> {
  let deadline: number | undefined;
  for (;;) {
    await stopFormer(cluster, socketFolder, log, signal);
    deadline ??= Date.now() + CONFLICT_PATIENCE_MS;
    signal.throwIfAborted();
    const postmaster = spawnPostmaster(cluster, { unix_socket_directories: socketFolder, ...settings }, log);
    const ready = await untilReady(cluster, postmaster, START_PATIENCE_MS, signal);
    if (ready !== undefined) return takeCharge(postmaster, ready);
    await postmaster.stop();
    signal.throwIfAborted();
    // Children of a killed server are still there: look again.
    const conflict = postmaster.messages.some((line) =>
      /lock file .* already exists|shared memory block .* still in use/.test(line),
    );
    if (!conflict || Date.now() > deadline) throw notStarted(cluster, postmaster);
    await delay(200);
  }
}

async function takeCharge(postmaster: Postmaster, ready: PidFile): Promise<Running> {
  try {
    await createDatabase(urlOf(ready, 'postgres'));
    return { url: urlOf(ready, DATABASE), ...postmaster };
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

/** Stops what a killed process of ours left behind. That it is gone we know: we hold the lock. */
async function stopFormer({ folder }: Cluster, ownSockets: string, log: Logger, signal: AbortSignal): Promise<void> {
  const former = await readPidFile(folder);
  if (former !== undefined && (await isServerOf(folder, former.pid))) {
    log.warn({ pid: former.pid }, 'stopping the PostgreSQL that a former run left behind');
    await stopStranger(folder, former.pid);
  }
  // One that a former run left behind in another container is not seen among our processes, but still has its socket.
  for (
    const deadline = Date.now() + CONFLICT_PATIENCE_MS;
    (await listens(former?.socketFolder)) || (await listens(folder));
    await pause(50, signal)
  ) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw inUse(folder);
  }
  if (former?.socketFolder !== undefined && former.socketFolder !== ownSockets)
    await removeSocketFolder(former.socketFolder);
  await removeStaleFiles(folder);
}

async function listens(socketFolder: string | undefined): Promise<boolean> {
  return socketFolder !== undefined && (await someoneListens(socketFolder, SOCKET));
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Names everything: what a URL leaves open, `pg` takes from the user's PGPORT, PGSSLMODE, PGOPTIONS and their like. */
function urlOf({ socketFolder }: PidFile, database: string): string {
  // A blank, since an empty option counts as none.
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
      `PostgreSQL does not run on ${cluster.folder}: the disk is full. Make room, or set DATA_DIR to another folder.`,
    );
  }
  const reason =
    messages.findLast((line) => /^(FATAL|PANIC):/.test(line)) ?? messages.at(-1) ?? 'it did not become ready in time';
  return new StartError(
    `PostgreSQL does not run on ${cluster.folder}: ${reason}. Mend that, or set DATA_DIR to another folder.`,
  );
}
