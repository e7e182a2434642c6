import { Kysely, PostgresDialect, sql } from 'kysely';
import { expect, test } from '@jest/globals';
import { createTestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';

test('a connection that is lost between two statements of a transaction fails the transaction, and nothing else', async () => {
  await using database = await createTestDatabase();
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: database.pool }) });
  await expect(
    db.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
      await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db);
      await eventually(
        async () => {
          const found = await sql`select 1 from pg_stat_activity where pid = ${rows[0]!.pid}`.execute(db);
          return found.rows.length === 0;
        },
        { what: 'the connection is lost' },
      );
      await sql`select 1`.execute(transaction);
    }),
  ).rejects.toThrow();
  await expect(sql`select 1 as one`.execute(db)).resolves.toMatchObject({ rows: [{ one: 1 }] });
});
