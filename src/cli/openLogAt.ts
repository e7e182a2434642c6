import type { CopiedStore } from '../eventStore/copying/copyLog.ts';
import type { EventImport } from '../core/eventImport.ts';
import { EventStoreUnavailable } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { EventStoreDenied } from '../eventStore/eventStoreDb/clientErrors.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { createPostgresImport } from '../eventStore/postgres/postgresImport.ts';
import { openDatabase } from '../postgres/database.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createLogger } from '../telemetry/logger.ts';
import { UsageError } from './command.ts';
import { openLogWithoutKeys } from './openLog.ts';

/** A log that another one can be copied to. */
export interface LogPlace extends CopiedStore {
  /** Belongs to the parts of the command. */
  beginImport(): Promise<EventImport>;
}

export interface OpenLogAtOptions {
  /** The option of the command line, for messages. */
  readonly option: '--from' | '--to';
  /** Of EventStoreDB or PostgreSQL. Without it: the log of this system, which may be running. */
  readonly url: string | undefined;
  readonly parts: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/** @throws UsageError, StartError; no message has the URL, which may contain a password. */
export async function openLogAt(options: OpenLogAtOptions): Promise<LogPlace> {
  const { url, option } = options;
  if (url === undefined) return openOwn(options);
  const open = /^postgres(ql)?:\/\//.test(url)
    ? openPostgres
    : /^(esdb|kurrentdb)(\+discover)?:\/\//.test(url)
      ? openEventStoreDb
      : undefined;
  if (open === undefined) throw new UsageError(`${option} must be a URL that begins with postgres:// or esdb://.`);
  return open({ ...options, url }).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    // These are also the messages of a start, which name the variable.
    throw new StartError(error.message.replaceAll(/DATABASE_URL|EVENTSTORE_URL/g, option), { cause: error });
  });
}

async function openOwn({ parts, signal }: OpenLogAtOptions): Promise<LogPlace> {
  const { store, pool, config } = parts.use(await openLogWithoutKeys('log', signal));
  const { eventStoreUrl } = config;
  return {
    store,
    gapless: eventStoreUrl === undefined,
    beginImport: () =>
      eventStoreUrl === undefined
        ? Promise.resolve(createPostgresImport(pool))
        : beginEventStoreDbImport(eventStoreUrl, parts),
  };
}

type OpenWithUrl = OpenLogAtOptions & { readonly url: string };

async function openPostgres({ url, parts, signal }: OpenWithUrl): Promise<LogPlace> {
  const logger = createLogger({ level: 'warn', role: 'log', destination: process.stderr });
  const database = await openDatabase({ config: { databaseUrl: url, dataDir: '' }, logger, signal });
  const pool = createPool({ connectionString: database.url, name: 'log', max: 4 });
  parts.defer(() => pool.end());
  await migrate(pool);
  const store = createPostgresEventStore({ pool, logger });
  parts.defer(() => store.close());
  return { store, gapless: true, beginImport: () => Promise.resolve(createPostgresImport(pool)) };
}

async function openEventStoreDb({ url, option, parts }: OpenWithUrl): Promise<LogPlace> {
  const { createEventStoreDbStore } = await import('../eventStore/eventStoreDb/eventStoreDbEventStore.ts');
  const store = usable(option, () => createEventStoreDbStore({ url }));
  parts.defer(() => store.close());
  await store.head().catch((cause: unknown) => {
    if (cause instanceof EventStoreDenied) throw new StartError(cause.message, { cause });
    if (!(cause instanceof EventStoreUnavailable)) throw cause;
    throw new StartError(`The EventStoreDB of ${option} does not answer. Start it, or correct ${option}.`, { cause });
  });
  return { store, gapless: false, beginImport: () => beginEventStoreDbImport(url, parts) };
}

async function beginEventStoreDbImport(url: string, parts: AsyncDisposableStack): Promise<EventImport> {
  const { createEventStoreDbImport } = await import('../eventStore/eventStoreDb/eventStoreDbImport.ts');
  const imported = createEventStoreDbImport(url);
  parts.defer(() => imported.close());
  return imported;
}

/** The client's message may quote the URL. */
function usable<T>(option: string, create: () => T): T {
  try {
    return create();
  } catch (cause) {
    throw new StartError(`${option} must look like esdb://user:password@host:2113?tlsCAFile=/path/to/ca.crt.`, {
      cause,
    });
  }
}
