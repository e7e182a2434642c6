import { readFileSync } from 'node:fs';
import { Kysely, PostgresDialect } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type pg from 'pg';
import { migrations } from '../../migrations/index.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { Credentials } from './systemClient.ts';

/** The rows of a table, as PostgreSQL writes them in JSON. */
type Rows = Readonly<Record<string, readonly object[]>>;

export interface RecordedQuery {
  readonly path: string;
  /** Index of the person who sends the query; undefined without an access token. */
  readonly person?: number | undefined;
  readonly data: unknown;
}

/** The database of an older program, and the answers of that program. `makeUpgradeFixture.ts` creates it. */
export interface UpgradeFixture {
  /** The commit of the program. */
  readonly commit: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly people: readonly Credentials[];
  readonly queries: readonly RecordedQuery[];
  /** A video that the second person has not liked. */
  readonly video: string;
  /** The names of the migrations that had run. */
  readonly migrations: readonly string[];
  /** The tables of these migrations that have rows. */
  readonly log: Rows;
  /** The schemas of projections and subscribers. */
  readonly schemas: Readonly<Record<string, { readonly statements: readonly string[]; readonly rows: Rows }>>;
}

export function readUpgradeFixture(): UpgradeFixture {
  return JSON.parse(readFileSync(new URL('../fixtures/upgrade.json', import.meta.url), 'utf8')) as UpgradeFixture;
}

/** Fills an empty database. */
export async function restoreFixture(url: string, { migrations: names, log, schemas }: UpgradeFixture): Promise<void> {
  const pool = createPool({ connectionString: url, name: 'upgrade fixture', max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const released = Object.fromEntries(names.map((name): [string, Migration] => [name, migrations[name]!]));
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(released) },
      migrationTableSchema: 'reelstream',
    }).migrateToLatest();
    if (error !== undefined) throw error;
    await pool.query('delete from reelstream.head');
    await insert(pool, 'reelstream', log);
    for (const [schema, { statements, rows }] of Object.entries(schemas)) {
      await pool.query(`create schema "${schema}"; ${statements.join(';\n')}`);
      await insert(pool, schema, rows);
    }
  } finally {
    await db.destroy();
  }
}

async function insert(pool: pg.Pool, schema: string, tables: Rows): Promise<void> {
  for (const [table, rows] of Object.entries(tables)) {
    const name = `"${schema}"."${table}"`;
    await pool.query(`insert into ${name} select * from json_populate_recordset(null::${name}, $1::json)`, [
      JSON.stringify(rows),
    ]);
  }
}
