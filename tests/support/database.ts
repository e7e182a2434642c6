import type pg from 'pg';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createDatabase, databaseName, onServer } from './testServer.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly pool: pg.Pool;
}

/** The server that globalSetup found (DATABASE_URL) or started. */
function serverUrl(): string {
  const url = process.env['REELSTREAM_TEST_POSTGRES'];
  if (url === undefined) throw new Error('globalSetup has not named a PostgreSQL server');
  return url;
}

/** A database of its own on the test server, migrated. Dispose it: `await using` or afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = process.env['REELSTREAM_TEST_TEMPLATE'];
  const database = await createEmptyDatabase(template);
  if (template === undefined) await migrate(database.pool);
  return database;
}

/** The same without any table, or as a copy of `template`. */
export async function createEmptyDatabase(template?: string): Promise<TestDatabase> {
  const name = databaseName('test');
  const url = await createDatabase(serverUrl(), name, template);
  const pool = createPool({ connectionString: url, name: 'test' });
  return {
    url,
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
      await onServer(serverUrl(), `drop database if exists ${name} with (force)`);
    },
  };
}
