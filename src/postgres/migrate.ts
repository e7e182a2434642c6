import { Kysely, PostgresDialect } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type pg from 'pg';
import { migrations } from '../../migrations/index.ts';

/**
 * Brings the tables that are not projections (event log, keys, leases) up to this version. Several processes may
 * start at once: the migrator takes a lock, and the others find nothing left to do.
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: borrowed(pool) }) });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: (): Promise<Record<string, Migration>> => Promise.resolve(migrations) },
    migrationTableSchema: 'reelstream',
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** Kysely ends the pool that it is given; this one belongs to the caller. */
function borrowed(pool: pg.Pool): { connect: () => Promise<pg.PoolClient>; end: () => Promise<void>; options: object } {
  return { connect: () => pool.connect(), end: () => Promise.resolve(), options: {} };
}
