import type { Config } from '../config/config.ts';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../postgres/database.ts';

export interface BeginDatabaseOptions extends Pick<OpenDatabaseOptions, 'logger' | 'shared' | 'signal'> {
  readonly config: Pick<Config, 'databaseUrl' | 'dataDir'>;
  readonly parts: AsyncDisposableStack;
}

/**
 * Begins to open the database, so that PostgreSQL starts while this process loads its modules. The database is closed with the
 * other parts. If they are closed first, the opening is aborted. The caller must await the promise, but need not do so at once.
 */
export function beginDatabase({ parts, signal, ...options }: BeginDatabaseOptions): Promise<Database> {
  const closing = new AbortController();
  const opening = openDatabase({
    ...options,
    signal: AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]),
    onFailure: crash,
  });
  // The start may fail before it awaits the promise. An unhandled rejection would end the process.
  const opened = opening.catch(() => undefined);
  parts.defer(async () => {
    closing.abort();
    await (await opened)?.close();
  });
  return opening;
}

/** Ends the process as any unexpected error does. */
function crash(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
