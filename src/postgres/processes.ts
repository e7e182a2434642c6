import type pg from 'pg';
import { v7 } from 'uuid';
import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';

/** What tells one process from another. */
export interface ProcessIdentity {
  readonly role: string;
  readonly pid: number;
  readonly host: string;
  readonly version: string;
}

export interface KnownProcess extends ProcessIdentity {
  readonly id: string;
  /** Seen within the last 15 s. One that stops deletes its row, so any other was killed, paused, or cut off. */
  readonly isAlive: boolean;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  /** Events that it has appended to the log, per second between its last two signs of life. */
  readonly appendsPerSecond: number;
}

export interface HeartbeatsOptions {
  readonly pool: pg.Pool;
  readonly identity: ProcessIdentity;
  /** Events that this process has appended since its start. */
  readonly appended: () => Promise<number>;
  /** The master keys that it knows (`markOf`). */
  readonly masterKeys: () => readonly string[];
  readonly logger: Logger;
  /** Milliseconds between two signs of life; 5 000 by default. */
  readonly everyMs?: number;
}

/** Three signs of life that did not come. */
const ALIVE = `interval '15 seconds'`;
/** How long operators see that a process was lost. */
const LOST = `interval '10 minutes'`;

export interface Heartbeats {
  /** Of this process in the table. */
  readonly id: string;
  /** Removes this process from the table. It is not an error when PostgreSQL is away. */
  close(): Promise<void>;
}

/** Says in `reelstream.processes` that this process is alive, until it is closed. An outage of PostgreSQL is only logged. */
export function startHeartbeats({
  pool,
  identity,
  appended,
  masterKeys,
  logger,
  everyMs = 5_000,
}: HeartbeatsOptions): Heartbeats {
  const id = v7();
  const { role, pid, host, version } = identity;
  const closing = new AbortController();
  const failed = createFailureLog(logger);
  const rate = createRate(appended);

  const beat = async (): Promise<void> => {
    await pool.query(
      `insert into reelstream.processes (id, role, pid, host, version, appends_per_second, master_keys) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (id) do update set last_seen_at = now(), appends_per_second = excluded.appends_per_second, master_keys = excluded.master_keys`,
      [id, role, pid, host, version, await rate(), masterKeys()],
    );
    await pool.query(`delete from reelstream.processes where last_seen_at < now() - ${LOST}`);
  };
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await beat().catch((error: unknown) => failed(error, 'this process cannot report that it is alive'));
      await pause(everyMs, closing.signal);
    }
  };
  const running = run();
  return {
    id,
    close: async () => {
      closing.abort();
      await running;
      await pool.query('delete from reelstream.processes where id = $1', [id]).catch(() => undefined);
    },
  };
}

/** Those that run, and those that were lost within the last ten minutes; in the order of their start. */
export async function readProcesses(pool: pg.Pool): Promise<KnownProcess[]> {
  const { rows } = await pool.query<KnownProcess>(
    `select id, role, pid, host, version, started_at as "startedAt", last_seen_at as "lastSeenAt",
       last_seen_at > now() - ${ALIVE} as "isAlive", appends_per_second as "appendsPerSecond"
     from reelstream.processes where last_seen_at > now() - ${LOST} order by started_at, id`,
  );
  return rows;
}

/** Those that run and do not know a master key, by its mark; also those of an older version, which do not tell. */
export async function processesWithout(
  pool: pg.Pool,
  mark: string,
): Promise<Pick<ProcessIdentity, 'role' | 'pid' | 'host'>[]> {
  const { rows } = await pool.query<Pick<ProcessIdentity, 'role' | 'pid' | 'host'>>(
    `select role, pid, host from reelstream.processes
     where last_seen_at > now() - ${ALIVE} and ($1 = any(master_keys)) is not true order by started_at, id`,
    [mark],
  );
  return rows;
}

/** A function that returns how fast a count has grown per second since its last call; 0 at first. */
function createRate(count: () => Promise<number>): () => Promise<number> {
  let last: { readonly count: number; readonly at: number } | undefined;
  return async () => {
    const now = { count: await count(), at: performance.now() };
    const before = last;
    last = now;
    if (before === undefined) return 0;
    return (now.count - before.count) / Math.max(0.001, (now.at - before.at) / 1_000);
  };
}
