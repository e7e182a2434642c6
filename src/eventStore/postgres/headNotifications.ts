import type pg from 'pg';
import type { Logger } from 'pino';
import { abortable, pause } from '../../core/abortable.ts';
import { queryWithTimeout } from '../../postgres/queryWithTimeout.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import type { HeadWatch } from '../headWatch.ts';

const CHANNEL = 'reelstream_events';
const RECONNECT_AFTER_MS = 500;
/** Between two notifications: the first goes out at once, those that follow closely are gathered. */
const ANNOUNCE_EVERY_MS = 5;
/** Only a hint: others poll as well. */
const ANNOUNCE_WITHIN_MS = 2_000;

export interface HeadNewsOptions {
  readonly pool: pg.Pool;
  readonly watch: HeadWatch;
  readonly readHead: () => Promise<bigint>;
  /** How often the head is read while somebody waits, should notifications not come. */
  readonly pollMs: number;
  readonly log?: Logger;
}

/** Carries the news that the log has grown between processes: NOTIFY for speed, a poll for certainty. */
export interface HeadNews {
  /** Tells other processes, without making the caller wait. One notification may speak for many appends. */
  announce(): void;
  /** Begins to hear from other processes; holds one connection of the pool from then on. */
  listen(): void;
  close(): Promise<void>;
}

export function createHeadNews({ pool, watch, readHead, pollMs, log }: HeadNewsOptions): HeadNews {
  const closing = new AbortController();
  let unannounced = false;
  let announcing: Promise<void> | undefined;
  let listening: Promise<unknown> | undefined;
  let looking: Promise<void> | undefined;
  let lookAgain = false;

  // Not within the transaction of the append: a commit with a NOTIFY holds a lock of the whole server while it is
  // written to disk, and every other commit that notifies would wait for it.
  async function announceAll(): Promise<void> {
    while (unannounced) {
      unannounced = false;
      await queryWithTimeout(pool, { text: `notify ${CHANNEL}`, rowMode: 'array' }, ANNOUNCE_WITHIN_MS).catch(
        () => undefined,
      );
      await pause(ANNOUNCE_EVERY_MS, closing.signal);
    }
    announcing = undefined;
  }

  // A notification is a hint, and anyone may send one: how far the log reaches is what the log says.
  function look(): void {
    lookAgain = true;
    looking ??= (async () => {
      while (lookAgain) {
        lookAgain = false;
        await readHead().then(watch.saw, () => undefined);
      }
      looking = undefined;
    })();
  }

  async function hearNotifications(): Promise<void> {
    const failed = log && createFailureLog(log);
    while (!closing.signal.aborted) {
      await hearUntilLost().catch((error: unknown) => {
        if (!closing.signal.aborted)
          failed?.(error, 'not hearing of new events from other processes; polling meanwhile');
      });
      await pause(RECONNECT_AFTER_MS, closing.signal);
    }
  }

  async function hearUntilLost(): Promise<void> {
    const client = await pool.connect();
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    client.on('error', lost.reject);
    client.on('notification', look);
    try {
      await abortable(client.query(`listen ${CHANNEL}`), closing.signal);
      look();
      await abortable(lost.promise, closing.signal);
    } finally {
      client.release(true);
    }
  }

  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      if (watch.awaited) look();
      await pause(pollMs, closing.signal);
    }
  }

  return {
    announce() {
      unannounced = true;
      announcing ??= announceAll();
    },
    listen() {
      if (!closing.signal.aborted) listening ??= Promise.all([hearNotifications(), poll()]);
    },
    close: async () => {
      closing.abort();
      await Promise.all([announcing, listening]);
      await looking;
    },
  };
}
