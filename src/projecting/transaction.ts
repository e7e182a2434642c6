import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { isOutage } from '../postgres/outage.ts';
import type { ConsumerTransaction } from './consumer.ts';

export interface TransactionOptions {
  /** Becomes the `search_path`. */
  readonly schema: string;
  readonly isolation?: 'read committed' | 'repeatable read';
}

/**
 * Runs `work` in one transaction, with unqualified names meaning the schema's.
 *
 * The commit does not wait for the disk: a crash may lose it, but always the rows together with their checkpoint, and the
 * log still has the events. When a process hangs in the middle, the server ends its transaction after a minute.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  { schema, isolation = 'read committed' }: TransactionOptions,
  work: (transaction: ConsumerTransaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  // The pool listens to idle connections only; a connection lost between two queries would end the process.
  const onError = (): void => void (broken = true);
  client.on('error', onError);
  try {
    await client.query(
      `begin isolation level ${isolation};
       set local search_path to ${pg.escapeIdentifier(schema)};
       set local synchronous_commit to off;
       set local lock_timeout to '10s';
       set local idle_in_transaction_session_timeout to '60s'`,
    );
    const result = await work({ client, db: kyselyOn(client) });
    const { command } = await client.query('commit');
    // A transaction in which a statement failed answers a commit with a rollback, and no error.
    if (command !== 'COMMIT')
      throw new Error('the transaction was rolled back, because an error inside it was caught and ignored');
    return result;
  } catch (error) {
    // On a connection that no longer answers, a rollback would wait as well; the server rolls back when it is closed.
    if (isOutage(error)) broken = true;
    else await client.query('rollback').catch(() => (broken = true));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** A Kysely that uses this one connection and leaves transactions alone. */
function kyselyOn(client: pg.PoolClient): Kysely<never> {
  const connection = { query: client.query.bind(client), release: () => undefined } as unknown as pg.PoolClient;
  const pool = { connect: () => Promise.resolve(connection), end: () => Promise.resolve(), options: {} };
  return new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
}
