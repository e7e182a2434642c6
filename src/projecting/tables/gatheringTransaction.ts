import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
} from 'kysely';
import type pg from 'pg';
import type { ConsumerTransaction } from '../consumer.ts';
import { gatherFor, type GatheredRows } from './gatheredRows.ts';

/**
 * What `apply` gets while rows are gathered: `upsert` adds to `rows`, and every other statement is run at once in the transaction,
 * after the rows of the tables that it mentions have been written. So each statement finds the tables as it would without
 * gathering. The transaction begins with the first such statement.
 */
export function gatheringTransaction(
  rows: GatheredRows,
  transaction: () => Promise<ConsumerTransaction>,
): ConsumerTransaction {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { db } = await transaction();
      await rows.writeMentioned(query.sql);
      return db.executeQuery<R>(query as CompiledQuery<R>);
    },
    streamQuery: () => {
      throw new Error('a projection reads no streams');
    },
  };
  const db = kyselyOn(connection);
  gatherFor(db, rows);
  const client = {
    async query(...query: unknown[]) {
      const { client } = await transaction();
      await rows.writeAll();
      return (client.query as (...query: unknown[]) => Promise<unknown>)(...query);
    },
  } as unknown as pg.ClientBase;
  return { client, db };
}

function kyselyOn(connection: DatabaseConnection): Kysely<never> {
  const done = (): Promise<void> => Promise.resolve();
  return new Kysely<never>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createDriver: () => ({
        init: done,
        acquireConnection: () => Promise.resolve(connection),
        releaseConnection: done,
        beginTransaction: done,
        commitTransaction: done,
        rollbackTransaction: done,
        destroy: done,
      }),
    },
  });
}
