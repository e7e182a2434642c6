import type pg from 'pg';
import type { Logger } from 'pino';
import { abortable, pause } from '../core/abortable.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';

const RECONNECT_AFTER_MS = 500;
/** The longest that a close waits for a server that hangs. */
const LONGEST_ANSWER_MS = 2_000;

export interface ListenOptions {
  /** One of its connections is held while this listens. */
  readonly pool: pg.Pool;
  /** A plain SQL name. */
  readonly channel: string;
  onNotification(payload: string): void;
  /**
   * Called each time that listening has begun, with the process id of the backend: notifications sent before that are
   * lost. When it rejects, the connection is given up and opened anew.
   */
  onConnected(pid: number | undefined): Promise<void> | void;
  readonly signal: AbortSignal;
  readonly logger: Logger | undefined;
}

/**
 * Listens to a channel of PostgreSQL until the signal aborts, and reconnects when the connection is lost. Notifications
 * are a hint that may get lost: the caller polls as well.
 */
export async function listen(options: ListenOptions): Promise<void> {
  const { channel, signal, logger } = options;
  const failed = logger && createFailureLog(logger);
  while (!signal.aborted) {
    await listenUntilLost(options).catch((error: unknown) => {
      if (!signal.aborted)
        failed?.(error, `not hearing notifications of PostgreSQL on "${channel}"; polling meanwhile`);
    });
    await pause(RECONNECT_AFTER_MS, signal);
  }
}

async function listenUntilLost({ pool, channel, onNotification, onConnected, signal }: ListenOptions): Promise<void> {
  const listening: pg.QueryConfig & { query_timeout: number } = {
    text: `listen ${channel}`,
    query_timeout: LONGEST_ANSWER_MS,
  };
  const client = await pool.connect();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  client.on('error', lost.reject);
  client.on('notification', ({ payload }) => onNotification(payload ?? ''));
  try {
    // Not abortable: PostgreSQL reports a connection that is closed in the middle of a statement as an error.
    await client.query(listening);
    await onConnected((client as { processID?: number }).processID);
    await abortable(lost.promise, signal);
  } finally {
    // Closed, not returned to the pool: it would go on listening there.
    client.release(true);
  }
}
