import pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { abortable, pause } from '../core/abortable.ts';
import { StartError } from '../core/startError.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embeddedPostgres.ts';
import { isOutage } from './outage.ts';

/** The oldest that we test against. */
const OLDEST_MAJOR = 14;
/** Servers that are started together with us take their time (ms). */
const PATIENCE_MS = 30_000;

export interface Database {
  /** For `pg`. */
  readonly url: string;
  /** Nothing was there before: a first start. */
  readonly created: boolean;
  /** Stops what was started; a server that was there before stays. */
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'dataDir'>;
  readonly log: Logger;
  /** Beside a running ReelStream, use its embedded server: for commands, which are short and start no parts of their own. */
  readonly shared?: boolean;
  /** Ends the opening: it fails with the signal's reason, and has left nothing running. */
  readonly signal?: AbortSignal;
  /** The embedded server ended by itself and cannot be brought back. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * The PostgreSQL that the settings name, reachable now.
 * @throws StartError with a sentence; the URL, which may hold a password, is not part of it.
 */
export async function openDatabase({
  config,
  log,
  shared = false,
  signal,
  onFailure,
}: OpenDatabaseOptions): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    await untilReachable(config.databaseUrl, log, signal);
    return { url: config.databaseUrl, created: false, close: () => Promise.resolve() };
  }
  const running = shared ? await findEmbeddedPostgres(config.dataDir) : undefined;
  if (running !== undefined) return { url: running, created: false, close: () => Promise.resolve() };
  const { url, created, stop } = await startEmbeddedPostgres({ dataDir: config.dataDir, log, signal, onFailure });
  return { url, created, close: stop };
}

async function untilReachable(url: string, log: Logger, signal: AbortSignal | undefined): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    try {
      const major = await abortable(majorOf(url), signal);
      if (major >= OLDEST_MAJOR) return;
      throw new StartError(`DATABASE_URL names a PostgreSQL ${major}, and ReelStream needs ${OLDEST_MAJOR} or newer.`);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof StartError) throw error;
      const reason = (error as Error).message || (error as NodeJS.ErrnoException).code;
      if (!isOutage(error) || Date.now() > deadline) {
        throw new StartError(
          `The database that DATABASE_URL names cannot be used (${reason}). Start it, or mend DATABASE_URL.`,
          { cause: error },
        );
      }
      log.warn({ reason }, 'waiting for the database');
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
