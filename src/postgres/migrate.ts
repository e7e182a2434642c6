import { Kysely, PostgresDialect } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type pg from 'pg';
import { migrations } from '../../migrations/index.ts';

/**
 * Updates the tables that do not belong to projections (event log, keys, leases) to this version. Several processes may do this
 * at once: the migrator takes a lock, and the others then find nothing to do.
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

/** Kysely would end the pool, which belongs to the caller. */
function borrowed(pool: pg.Pool): { connect: () => Promise<pg.PoolClient>; end: () => Promise<void>; options: object } {
  return { connect: () => pool.connect(), end: () => Promise.resolve(), options: {} };
}
