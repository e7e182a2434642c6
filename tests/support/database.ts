import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';

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
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`create database ${name}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  const pool = createPool({ connectionString: url.href, name: 'test' });
  await migrate(pool);
  return {
    url: url.href,
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
      await onServer(`drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(sql: string): Promise<void> {
  const pool = createPool({ connectionString: serverUrl(), name: 'test server', max: 1 });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}
