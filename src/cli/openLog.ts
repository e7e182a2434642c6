import type { Logger } from 'pino';
import { beginDatabase } from '../app/beginDatabase.ts';
import { connectionsOfCommand } from '../app/connections.ts';
import { openEventLog, openStoredLog, type EventLog, type OpenEventLogOptions } from '../app/eventLog.ts';
import { readModelSettings } from '../app/readModelSettings.ts';
import { loadConfig, type Config } from '../config/config.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { EventStore } from '../core/eventStore.ts';
import type { Names } from '../core/names.ts';
import { withCodec } from '../eventStore/withCodec.ts';
import { discardedEvents } from '../features/operators/index.ts';
import { eventTypes, readModelConsumers } from '../features/index.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { decodeFor } from '../projecting/decoding.ts';
import type { ReadDiscarded } from '../projecting/parking/discarded.ts';
import { createLogger } from '../telemetry/logger.ts';

/** The event log and the database of a system, which may be running or stopped. */
export interface OpenedLog extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly pool: EventLog['pool'];
  /** Its events are in their stored form: encrypted, and of the version in which they were written. */
  readonly store: EventStore;
  /** The same log, with decoded events. */
  readonly decodedStore: EventStore;
  readonly decode: EventCodec['decode'];
  readonly names: Names;
  readonly discarded: ReadDiscarded;
  readonly config: Config;
  readonly logger: Logger;
  /** The projections, under the settings of this command. */
  readonly readModels: readonly Consumer[];
}

/** Opens them for a command, with the settings that the roles use. Import this module when the command runs. */
export async function openLog(command: string, signal: AbortSignal): Promise<OpenedLog> {
  await using parts = new AsyncDisposableStack();
  const options = beginOpening(command, signal, parts);
  const { config, logger } = options;
  const readModels = readModelConsumers(readModelSettings(config));
  const { databaseUrl, pool, rawStore, codec, names } = await openEventLog(options);
  const decodedStore = withCodec(rawStore, codec);
  const opened = parts.move();
  return {
    databaseUrl,
    pool,
    store: rawStore,
    decodedStore,
    decode: decodeFor(eventTypes, codec),
    names,
    discarded: discardedEvents(decodedStore),
    config,
    logger,
    readModels,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The same, without the keys of personal data: DATA_KEY may be unknown to those who run the command. */
export async function openLogWithoutKeys(
  command: string,
  signal: AbortSignal,
): Promise<AsyncDisposable & Pick<OpenedLog, 'store' | 'pool' | 'config'>> {
  await using parts = new AsyncDisposableStack();
  const options = beginOpening(command, signal, parts);
  const { rawStore, pool } = await openStoredLog(options);
  const opened = parts.move();
  return { store: rawStore, pool, config: options.config, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function beginOpening(
  command: string,
  signal: AbortSignal,
  parts: AsyncDisposableStack,
): OpenEventLogOptions & { readonly config: Config } {
  const config = loadConfig(process.env);
  // A command prints its result. The logger only reports what goes wrong.
  const level = config.logLevel === 'info' ? 'warn' : config.logLevel;
  const logger = createLogger({ level, role: command, destination: process.stderr });
  const connections = connectionsOfCommand(config);
  const shared = true;
  const database = beginDatabase({ config, logger, parts, signal, shared });
  return { config, connections, logger, parts, database, signal, shared };
}
