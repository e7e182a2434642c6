import type { Logger } from 'pino';
import { openEventLog, type EventLog } from '../app/eventLog.ts';
import { loadConfig } from '../config/config.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { EventStore } from '../core/eventStore.ts';
import { eventTypes } from '../features/index.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createLog } from '../telemetry/log.ts';

/** The event log and the database of a running system, or of one that is stopped. */
export interface OpenedLog extends AsyncDisposable {
  readonly pool: EventLog['pool'];
  /** As it lies in the log. */
  readonly store: EventStore;
  readonly decode: EventCodec['decode'];
  readonly log: Logger;
}

/** For commands that work beside the roles, or without them. Found by the same settings. */
export async function openLog(command: string): Promise<OpenedLog> {
  const config = loadConfig(process.env);
  // What a command has to say, it prints; the log is for what goes wrong.
  const log = createLog({ level: config.logLevel === 'info' ? 'error' : config.logLevel, role: command });
  await using parts = new AsyncDisposableStack();
  const { pool, rawStore, codec } = await openEventLog({ config, logger: log, parts, shared: true });
  const opened = parts.move();
  return {
    pool,
    store: rawStore,
    decode: decodeFor(eventTypes, codec),
    log,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
