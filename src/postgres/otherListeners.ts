import type pg from 'pg';
import { queryWithTimeout } from './queryWithTimeout.ts';

/** What was seen longer ago may have changed. */
const FRESH_MS = 2_000;
const LOOK_EVERY_MS = 1_000;
/** A server that hangs must not hold up `close`. */
const LONGEST_ANSWER_MS = 2_000;

/** Tells whether a NOTIFY would reach another process. Each one costs a statement, and wakes all that listen. */
export interface OtherListeners {
  /** This process listens with the connection of this backend. Until then it cannot know of others. */
  listenWith(pid: number | undefined): void;
  /**
   * False only when, within the last two seconds, no connection of another process was listening to the channel. One that
   * begins in this time misses notifications until it is seen: it polls as well.
   */
  mayExist(): boolean;
  close(): Promise<void>;
}

export function createOtherListeners({ pool, channel }: { pool: pg.Pool; channel: string }): OtherListeners {
  let own: number | undefined;
  let none = false;
  let seenAt = -Infinity;
  let lookedAt = -Infinity;
  let looking: Promise<void> | undefined;

  async function look(pid: number): Promise<void> {
    // Unless PostgreSQL shows our own connection, it would not show those of others either.
    const query = {
      text: `select coalesce(bool_or(pid = $1 and query = $2), false),
          coalesce(bool_or(pid <> $1 and query in ($2, '<insufficient privilege>')), false)
        from pg_stat_activity where datname = current_database()`,
      values: [pid, `listen ${channel}`],
      rowMode: 'array' as const,
    };
    const [[isOursShown, areThereOthers] = []] = await queryWithTimeout<boolean[]>(pool, query, LONGEST_ANSWER_MS);
    none = isOursShown === true && areThereOthers === false;
    seenAt = performance.now();
  }

  return {
    listenWith(pid) {
      own = pid;
    },
    mayExist() {
      const now = performance.now();
      if (own !== undefined && now - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = now;
        looking ??= look(own)
          .catch(() => undefined)
          .finally(() => (looking = undefined));
      }
      return !none || now - seenAt > FRESH_MS;
    },
    close: async () => looking,
  };
}
