import { readFileSync } from 'node:fs';
import type pg from 'pg';

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process and of its children that have ended, in seconds. Linux only. 0 when the process has ended. */
export function cpuSecondsOf(pid: number): number {
  try {
    // The name of the program is in brackets and may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const [user, system, userOfChildren, systemOfChildren] = fields.slice(11, 15).map(Number);
    return (user! + system! + userOfChildren! + systemOfChildren!) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** CPU time of each process of PostgreSQL that serves this database or writes for all of them. The server runs on this machine. */
export async function cpuSecondsOfPostgres(pool: pg.Pool): Promise<ReadonlyMap<number, number>> {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity
     where datname = current_database() or backend_type in ('walwriter', 'checkpointer', 'background writer')`,
  );
  return new Map(rows.map(({ pid }) => [pid, cpuSecondsOf(pid)]));
}
