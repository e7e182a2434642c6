import { join } from 'node:path';
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../startError.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { takeInstanceLock } from './instanceLock.ts';
import { findServer, removeStaleFiles, type PidFile } from './pidFile.ts';
import { spawnPostmaster, stopStranger, untilReady, type Postmaster } from './postmaster.ts';

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
export async function startEmbeddedPostgres({ dataDir, log, settings = {}, onFailure }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(dataDir);
  let stopping = false;
  let running = await bringUp(cluster, settings, log);
  const { url } = running;

  const watch = async (): Promise<void> => {
    for (const ends: number[] = []; ; ) {
      await running.exited;
      if (stopping) return;
      ends.push(Date.now());
      if (ends.filter((end) => end > Date.now() - 60_000).length > MOST_RESTARTS) throw notStarted(cluster, running);
      log.error('PostgreSQL ended by itself; starting it again');
      running = await bringUp(cluster, settings, log);
      if (stopping) return running.stop();
    }
  };
  const watching = watch().catch((error: unknown) => onFailure?.(error as Error));

  return {
    url,
    created: cluster.created,
    async stop() {
      stopping = true;
      await running.stop();
      await watching;
    },
  };
}

/** The URL of the server that some ReelStream runs on this data folder; undefined when none does. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const server = await findServer(join(dataDir, 'postgres'));
  return server?.ready ? urlOf(server, DATABASE) : undefined;
}

interface Running extends Pick<Postmaster, 'exited' | 'messages' | 'stop'> {
  readonly url: string;
}

async function bringUp(cluster: Cluster, settings: Readonly<Record<string, string>>, log: Logger): Promise<Running> {
  let deadline: number | undefined;
  for (;;) {
    await stopFormer(cluster, log);
    deadline ??= Date.now() + CONFLICT_PATIENCE_MS;
    const postmaster = await spawnPostmaster(cluster, settings, log);
    const ready = await untilReady(cluster, postmaster, START_PATIENCE_MS);
    if (ready !== undefined) return takeCharge(cluster, postmaster, ready);
    await postmaster.stop();
    // Another start was quicker, or children of a killed server are still there: look again.
    const conflict = postmaster.messages.some((line) => /lock file .* already exists|shared memory block .* still in use/.test(line));
    if (!conflict || Date.now() > deadline) throw notStarted(cluster, postmaster);
    await delay(200);
  }
}

async function takeCharge(cluster: Cluster, postmaster: Postmaster, ready: PidFile): Promise<Running> {
  try {
    const releaseLock = await keepLock(cluster, ready, postmaster);
    await createDatabase(urlOf(ready, 'postgres'));
    const stop = async (): Promise<void> => {
      await releaseLock();
      await postmaster.stop();
    };
    return { url: urlOf(ready, DATABASE), exited: postmaster.exited, messages: postmaster.messages, stop };
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

/** Holds the lock as long as the server runs: when that drops all connections after a crash of one, it is taken again. */
async function keepLock(cluster: Cluster, server: PidFile, postmaster: Postmaster): Promise<() => Promise<void>> {
  const url = urlOf(server, 'postgres');
  let held = await takeInstanceLock(url);
  if (held === undefined) throw inUse(cluster);
  let over = false;
  void postmaster.exited.then(() => (over = true));
  const hold = async (): Promise<void> => {
    while (!over) {
      await held?.ended;
      if (over) return;
      held = await takeInstanceLock(url).catch(() => undefined);
      if (held === undefined) await delay(250);
    }
  };
  void hold();
  return async () => {
    over = true;
    await held?.release().catch(() => undefined);
  };
}

/** Stops what a killed process of ours left behind; refuses when its process is alive. */
async function stopFormer(cluster: Cluster, log: Logger): Promise<void> {
  for (const deadline = Date.now() + CONFLICT_PATIENCE_MS; ; await delay(50)) {
    const server = await findServer(cluster.folder);
    if (server === undefined) return removeStaleFiles(cluster.folder);
    const lock = server.ready ? await takeInstanceLock(urlOf(server, 'postgres')).catch(() => 'unreachable' as const) : 'unreachable';
    if (lock === undefined) throw inUse(cluster);
    // Starting or shutting down, or hanging: only time tells.
    if (lock === 'unreachable' && Date.now() < deadline) continue;
    log.warn({ pid: server.pid }, 'stopping the PostgreSQL that a former run left behind');
    await stopStranger(cluster, server);
    if (lock !== 'unreachable') await lock.release().catch(() => undefined);
  }
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
  const rest = { sslmode: 'disable', sslnegotiation: 'postgres', options: ' ', replication: 'false', client_encoding: 'UTF8' };
  const query = Object.entries({ host: socketFolder ?? '', ...rest }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `postgres://reelstream@localhost:5432/${database}?${query.join('&')}`;
}

function inUse(cluster: Cluster): StartError {
  return new StartError(`${cluster.folder} is in use by another ReelStream. Stop that one, or set DATA_DIR to another folder.`);
}

function notStarted(cluster: Cluster, { messages }: Pick<Postmaster, 'messages'>): Error {
  if (messages.some((line) => line.includes('No space left'))) {
    return new StartError(`PostgreSQL does not run on ${cluster.folder}: the disk is full. Make room, or set DATA_DIR to another folder.`);
  }
  const reason = messages.findLast((line) => /^(FATAL|PANIC):/.test(line)) ?? messages.at(-1) ?? 'it did not become ready in time';
  return new StartError(`PostgreSQL does not run on ${cluster.folder}: ${reason}. Mend that, or set DATA_DIR to another folder.`);
}
