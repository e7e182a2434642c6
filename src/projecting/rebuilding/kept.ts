import type pg from 'pg';
import { readIfThere } from '../../postgres/missingTable.ts';
import { KEPT_CHECKPOINTS, readCheckpoints, type Checkpoint } from '../checkpoints.ts';
import { inTransaction } from '../transaction.ts';
import { exclusively, RebuildUnderWay } from './exclusively.ts';
import { oldSchema } from './schemas.ts';

type Client = Pick<pg.ClientBase, 'query'>;

/** The tables that the last rebuild or rollback replaced. They stand still. */
export interface KeptTables {
  /** Where they were when they were replaced. */
  readonly checkpoints: readonly Checkpoint[];
  readonly replacedAt: Date;
}

/**
 * Moves the checkpoints of the tables that are being replaced into a table of another name. A writer that waits for one of
 * these rows began with these tables, and would continue with those that get their name. Without the row it stops.
 * `search_path` is the schema of the tables.
 */
export async function keepCheckpoints(client: Client): Promise<void> {
  await client.query(
    `create table ${KEPT_CHECKPOINTS} (like checkpoints including all);
     alter table ${KEPT_CHECKPOINTS} add replaced_at timestamptz not null default now();
     insert into ${KEPT_CHECKPOINTS} select *, now() from checkpoints;
     delete from checkpoints`,
  );
}

/** Undefined when nothing is kept. */
export async function readKept(pool: pg.Pool, name: string): Promise<KeptTables | undefined> {
  const table = `"${oldSchema(name)}".${KEPT_CHECKPOINTS}`;
  return readIfThere(pool, table, async () => {
    const checkpoints = await readCheckpoints(pool, oldSchema(name), KEPT_CHECKPOINTS);
    const { rows } = await pool.query<{ replacedAt: Date }>(`select replaced_at as "replacedAt" from ${table} limit 1`);
    return rows[0] && { checkpoints, replacedAt: rows[0].replacedAt };
  });
}

/** Gives the kept tables their checkpoints again, so that events can be applied to them. May be repeated. */
export async function restoreCheckpoints(pool: pg.Pool, name: string): Promise<void> {
  await inTransaction(pool, { schema: oldSchema(name) }, async ({ client }) => {
    if ((await readCheckpoints(client)).length > 0) return;
    // Another table, not the same one with rows: the drop waits for a writer that began before the tables were replaced,
    // and that writer must find no row.
    await client.query(
      `drop table checkpoints;
       create table checkpoints (like ${KEPT_CHECKPOINTS} including all);
       insert into checkpoints select * from ${KEPT_CHECKPOINTS};
       alter table checkpoints drop column replaced_at`,
    );
  });
}

/** Drops the tables that were replaced so many hours ago, unless a rebuild or a rollback is under way. */
export async function dropExpired(pool: pg.Pool, name: string, keepHours: number): Promise<void> {
  const isExpired = async (): Promise<boolean> => {
    const kept = await readKept(pool, name);
    return kept !== undefined && keptUntil(kept, keepHours) <= new Date();
  };
  if (!(await isExpired())) return;
  await exclusively(pool, name, async () => {
    if (await isExpired()) await pool.query(`drop schema "${oldSchema(name)}" cascade`);
  }).catch((error: unknown) => {
    if (!(error instanceof RebuildUnderWay)) throw error;
  });
}

export function keptUntil({ replacedAt }: KeptTables, keepHours: number): Date {
  return new Date(replacedAt.getTime() + keepHours * 3_600_000);
}
