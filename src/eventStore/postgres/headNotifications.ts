import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { coalesced } from '../../core/coalesced.ts';
import { listen } from '../../postgres/listen.ts';
import { createOtherListeners } from '../../postgres/otherListeners.ts';
import { queryWithTimeout } from '../../postgres/queryWithTimeout.ts';
import type { HeadWatch } from '../headWatch.ts';

const CHANNEL = 'reelstream_events';
/** Between two notifications: the first is sent at once, those that follow closely are sent as one. */
const ANNOUNCE_EVERY_MS = 5;
/** A notification that is not sent in time is given up: other processes poll as well. */
const ANNOUNCE_WITHIN_MS = 2_000;

export interface HeadNotificationsOptions {
  readonly pool: pg.Pool;
  readonly watch: HeadWatch;
  readonly readHead: () => Promise<bigint>;
  /** How often the head is read while somebody waits, in case notifications do not arrive. */
  readonly pollMs: number;
  readonly logger: Logger | undefined;
}

/** Tells processes of each other's appends: NOTIFY for speed, a poll for certainty. */
export interface HeadNotifications {
  /** Tells other processes, if there are any, without making the caller wait. One notification may stand for many appends. */
  announce(): void;
  /** Begins to hear from other processes; holds one connection of the pool from then on. */
  listen(): void;
  close(): Promise<void>;
}

export function createHeadNotifications({
  pool,
  watch,
  readHead,
  pollMs,
  logger,
}: HeadNotificationsOptions): HeadNotifications {
  const closing = new AbortController();
  const { signal } = closing;
  const self = randomUUID();
  const others = createOtherListeners({ pool, channel: CHANNEL });
  let announcing: Promise<void> | undefined;
  let reading: Promise<void> | undefined;
  let listening: Promise<unknown> | undefined;

  // Not within the transaction of the append: a commit with a NOTIFY holds a lock of the whole server while it is
  // written to disk, and every other commit that notifies would wait for it.
  const notify = coalesced(async () => {
    await queryWithTimeout(pool, { text: `notify ${CHANNEL}, '${self}'`, rowMode: 'array' }, ANNOUNCE_WITHIN_MS).catch(
      () => undefined,
    );
    await pause(ANNOUNCE_EVERY_MS, signal);
  });

  // A notification is only a hint, and anyone may send one: the log itself says where it ends.
  const readHeadAgain = coalesced(() => readHead().then(watch.saw, () => undefined));

  function look(): void {
    reading = readHeadAgain();
  }

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      if (watch.awaited) look();
      await pause(pollMs, signal);
    }
  }

  return {
    announce() {
      if (others.mayExist()) announcing = notify();
    },
    listen() {
      if (signal.aborted) return;
      // This process knows of its own appends. Older programs do not name the sender.
      const onNotification = (sender: string): void => void (sender !== self && look());
      const onConnected = (pid: number | undefined): void => {
        others.listenWith(pid);
        look();
      };
      const hearing = { pool, channel: CHANNEL, onNotification, onConnected, signal, logger };
      listening ??= Promise.all([listen(hearing), poll()]);
    },
    close: async () => {
      closing.abort();
      await Promise.all([announcing, listening, others.close()]);
      await reading;
    },
  };
}
