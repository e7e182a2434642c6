import { readFileSync } from 'node:fs';
import type pg from 'pg';

/** Linux counts CPU time for programs in units of 10 ms (`USER_HZ`). */
const MICROS_PER_TICK = 10_000;

/** CPU time that a process has used with all its threads, in µs. Linux only. */
export function cpuOf(pid: number): number {
  const [user, system] = ticksOf(pid);
  return (user + system) * MICROS_PER_TICK;
}

/** The same with the children that have ended. */
export function cpuWithChildrenOf(pid: number): number {
  return ticksOf(pid).reduce((sum, each) => sum + each, 0) * MICROS_PER_TICK;
}

/**
 * Returns a function that tells the CPU time of a PostgreSQL server with all its processes, in µs; undefined when the server is on
 * another machine. Linux only.
 */
export async function cpuOfPostgres(pool: pg.Pool): Promise<(() => number) | undefined> {
  const { rows } = await pool.query<{ pid: number; local: boolean }>(
    'select pg_backend_pid() as pid, inet_server_addr() is null as local',
  );
  const [{ pid, local }] = rows as [{ pid: number; local: boolean }];
  if (!local) return undefined;
  const [, parent = ''] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const postmaster = Number(parent);
  return () => {
    // What processes used that have ended is counted for the postmaster.
    return childrenOf(postmaster).reduce((sum, child) => sum + ifRunning(child), cpuWithChildrenOf(postmaster));
  };
}

/** User, system, and the same of children that have ended: fields 14 to 17 of proc_pid_stat(5). */
function ticksOf(pid: number): [number, number, number, number] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map(Number) as [number, number, number, number];
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

function ifRunning(pid: number): number {
  try {
    return cpuOf(pid);
  } catch {
    return 0; // It ended just now, and is counted for the postmaster.
  }
}
