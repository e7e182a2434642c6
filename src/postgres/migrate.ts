import { Kysely, PostgresDialect } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type pg from 'pg';
import { migrations } from '../../migrations/index.ts';

/** Where the migrator keeps the names of the migrations that have run. */
const TABLE = 'kysely_migration';
/** PostgreSQL's codes for a missing table and a missing schema. */
const NOT_THERE = ['42P01', '3F000'];

/**
 * Updates the tables that do not belong to projections (event log, keys, leases) to this version. Several processes may do this
 * at once: the migrator takes a lock, and the others then find nothing to do.
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  if (await isUpToDate(pool)) return;
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: borrowed(pool) }) });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: (): Promise<Record<string, Migration>> => Promise.resolve(migrations) },
    migrationTableSchema: 'reelstream',
    migrationTableName: TABLE,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** One query instead of the migrator's several, for all starts but the first of a version. */
async function isUpToDate(pool: pg.Pool): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ name: string }>(
      `select name from reelstream.${TABLE} order by name collate "C"`,
    );
    return rows.map(({ name }) => name).join() === Object.keys(migrations).sort().join();
  } catch (error) {
    if (NOT_THERE.includes((error as pg.DatabaseError).code ?? '')) return false;
    throw error;
  }
}

/** Kysely would end the pool, which belongs to the caller. */
function borrowed(pool: pg.Pool): { connect: () => Promise<pg.PoolClient>; end: () => Promise<void>; options: object } {
  return { connect: () => pool.connect(), end: () => Promise.resolve(), options: {} };
}
