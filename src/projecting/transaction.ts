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
  options: TransactionOptions,
  work: (transaction: ConsumerTransaction) => Promise<T>,
): Promise<T> {
  return withRollback(pool, async (client) => {
    await client.query(beginning(options));
    const result = await work({ client, db: kyselyOn(client) });
    requireCommitted(await client.query('commit'));
    return result;
  });
}

/** Runs `work`, which begins a transaction on the connection and commits it. If `work` fails, it is rolled back. */
export async function withRollback<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  // The pool listens to idle connections only; a connection lost between two queries would end the process.
  const onError = (): void => void (broken = true);
  client.on('error', onError);
  try {
    return await work(client);
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

const BEGUN = 'reelstream.begun';
/**
 * An SQL condition for a statement that is sent before the answer to `beginning`: if the transaction did not begin, the statement
 * would be one by itself.
 */
export const HAS_BEGUN = `current_setting('${BEGUN}', true) = 'on'`;

/** Statements that begin a transaction. */
export function beginning({ schema, isolation = 'read committed' }: TransactionOptions): string {
  return `begin isolation level ${isolation};
    ${searchPath(schema)};
    set local ${BEGUN} to on;
    set local synchronous_commit to off;
    set local lock_timeout to '10s';
    set local idle_in_transaction_session_timeout to '60s'`;
}

/** A transaction in which a statement failed answers a commit with a rollback, and no error. */
export function requireCommitted({ command }: pg.QueryResult): void {
  if (command !== 'COMMIT')
    throw new Error('the transaction was rolled back, because an error inside it was caught and ignored');
}

export function searchPath(schema: string): string {
  return `set local search_path to ${pg.escapeIdentifier(schema)}`;
}

/** A Kysely that uses this one connection and leaves transactions alone. */
export function kyselyOn(client: Pick<pg.ClientBase, 'query'>): Kysely<never> {
  const connection = { query: client.query.bind(client), release: () => undefined } as unknown as pg.PoolClient;
  const pool = { connect: () => Promise.resolve(connection), end: () => Promise.resolve(), options: {} };
  return new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
}
