import type pg from 'pg';
import { pause } from '../../core/abortable.ts';
import { bookkeepingTables } from '../checkpoints.ts';

/** SQLSTATE lock_not_available. */
const IN_USE = '55P03';
const TRY_EVERY_MS = 5;

export interface LockOptions {
  readonly schema: string;
  /** Whether the engine's own tables in the schema are locked too. */
  readonly bookkeeping: boolean;
  /** A query that reads the tables for longer than this keeps nobody waiting. */
  readonly longestMs: number;
}

/**
 * Locks the tables of a schema until the transaction ends, and answers whether that succeeded in time. A query that comes
 * meanwhile waits, and then looks its tables up again.
 *
 * Never waits in the queue for a lock, which would hold up every query behind it, and would deadlock with a query that
 * reads two of the tables. Instead it tries until there is a moment in which no query reads any of them.
 */
export async function lockTables(
  client: pg.ClientBase,
  { schema, bookkeeping, longestMs }: LockOptions,
): Promise<boolean> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = $1 and not tablename = any($2) order by 1`,
    [schema, bookkeeping ? [] : bookkeepingTables],
  );
  if (rows.length === 0) return true;
  const tables = rows.map(({ name }) => name).join(', ');
  const until = performance.now() + longestMs;
  while (performance.now() < until) {
    await client.query('savepoint locking');
    try {
      await client.query(`lock table ${tables} in access exclusive mode nowait`);
      await client.query('release savepoint locking');
      return true;
    } catch (error) {
      await client.query('rollback to savepoint locking; release savepoint locking');
      if ((error as { code?: unknown }).code !== IN_USE) throw error;
    }
    await pause(TRY_EVERY_MS);
  }
  return false;
}
