import type pg from 'pg';
import { pause } from '../../core/abortable.ts';
import { bookkeepingTables } from '../checkpoints.ts';

/** SQLSTATE lock_not_available. */
const IN_USE = '55P03';
const TRY_EVERY_MS = 5;
/** A query that holds a table for longer keeps nobody waiting. */
const LONGEST_MS = 2_000;

/**
 * Locks the projection's tables in the schema until the transaction ends, so that no query finds some of them under their old name and
 * others under the new one: PostgreSQL looks up the tables of a query one after the other. A query that comes meanwhile
 * waits, and looks up again. Never waits in the queue for a lock, which would hold up every query behind it: tries until
 * a moment in which no query reads these tables. If there is none for two seconds, goes on without.
 */
export async function lockTables(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = $1 and not tablename = any($2) order by 1`,
    // Consumers that wait for their checkpoint hold a lock on that table.
    [schema, bookkeepingTables],
  );
  const tables = rows.map(({ name }) => name).join(', ');
  const until = performance.now() + LONGEST_MS;
  while (performance.now() < until) {
    await client.query('savepoint locking');
    try {
      await client.query(`lock table ${tables} in access exclusive mode nowait`);
      await client.query('release savepoint locking');
      return;
    } catch (error) {
      await client.query('rollback to savepoint locking; release savepoint locking');
      if ((error as { code?: unknown }).code !== IN_USE) throw error;
    }
    await pause(TRY_EVERY_MS);
  }
}
