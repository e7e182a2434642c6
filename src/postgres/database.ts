import pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { abortable, pause } from '../core/abortable.ts';
import { StartError } from '../core/startError.ts';
import { refuseUnfinishedRestore } from '../backup/restoreMark.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embeddedPostgres.ts';
import { isOutage } from './outage.ts';

/** The oldest version that we test. */
const OLDEST_MAJOR = 14;
/** How long to wait for a server that is started at the same time (ms). */
const REACHABLE_TIMEOUT_MS = 30_000;

export interface Database {
  /** A connection string for `pg`. */
  readonly url: string;
  /** Whether this is the first start: the database did not exist before. */
  readonly created: boolean;
  /** Stops the server if this call has started it. */
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'dataDir'>;
  readonly logger: Logger;
  /** Use the embedded server of a running ReelStream. For commands, which are short. */
  readonly shared?: boolean;
  /** Aborts the opening, which then fails with the reason of the signal and leaves nothing running. */
  readonly signal?: AbortSignal;
  /** Called when the embedded server has ended by itself and cannot be restarted. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Opens the PostgreSQL of the settings and waits until it answers.
 * @throws StartError, whose message does not contain the URL, since the URL may contain a password.
 */
export async function openDatabase({
  config,
  logger,
  shared = false,
  signal,
  onFailure,
}: OpenDatabaseOptions): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    await untilReachable(config.databaseUrl, logger, signal);
    return { url: config.databaseUrl, created: false, close: () => Promise.resolve() };
  }
  refuseUnfinishedRestore(config.dataDir);
  const running = shared ? await findEmbeddedPostgres(config.dataDir) : undefined;
  if (running !== undefined) return { url: running, created: false, close: () => Promise.resolve() };
  const { url, created, stop } = await startEmbeddedPostgres({ dataDir: config.dataDir, logger, signal, onFailure });
  return { url, created, close: stop };
}

async function untilReachable(url: string, logger: Logger, signal: AbortSignal | undefined): Promise<void> {
  for (const deadline = Date.now() + REACHABLE_TIMEOUT_MS; ;) {
    try {
      const major = await abortable(majorOf(url), signal);
      if (major >= OLDEST_MAJOR) return;
      throw new StartError(
        `DATABASE_URL points to PostgreSQL ${major}, and ReelStream needs ${OLDEST_MAJOR} or newer.`,
      );
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof StartError) throw error;
      const reason = (error as Error).message || (error as NodeJS.ErrnoException).code;
      if (!isOutage(error) || Date.now() > deadline) {
        throw new StartError(
          `The database of DATABASE_URL cannot be used (${reason}). Start it, or correct DATABASE_URL.`,
          { cause: error },
        );
      }
      logger.warn({ reason }, 'waiting for the database');
      await pause(1_000, signal);
      signal?.throwIfAborted();
    }
  }
}

async function majorOf(url: string): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'reelstream start',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ major: number }>(
      `select current_setting('server_version_num')::int / 10000 as major`,
    );
    return rows[0]?.major ?? 0;
  } finally {
    await client.end().catch(() => undefined);
  }
}
