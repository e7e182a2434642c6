import type pg from 'pg';
import { readIfThere } from '../postgres/missingTable.ts';
import { KEPT_CHECKPOINTS, readCheckpoints } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import { dropExpired, readKept } from './rebuilding/kept.ts';
import { droppedSchema, oldSchema, scratchPrefix } from './rebuilding/schemas.ts';
import { dropLeftovers } from './rebuilding/verify.ts';

export interface ErasedTablesOptions {
  readonly pool: pg.Pool;
  /** Those that keep rows. */
  readonly consumers: readonly Pick<Consumer, 'name'>[];
}

/** Whether the rows of the read models, wherever they are, have the effect of events that erase. */
export interface ErasedTables {
  /** Whether the live rows of a read model include all events up to and including the position. */
  isPast(projection: string, position: bigint): Promise<boolean>;
  /**
   * The schemas that may have rows without the effect of the events up to this position, or that have parked an event of one
   * of these streams. Tables that stand still, which a rebuild or a rollback has kept, are dropped: there is no rollback to them.
   */
  behind(position: bigint, streams: readonly string[]): Promise<string[]>;
}

export function createErasedTables({ pool, consumers }: ErasedTablesOptions): ErasedTables {
  async function isPast(schema: string, position: bigint, table = 'checkpoints'): Promise<boolean> {
    const read = () => readCheckpoints(pool, schema, table);
    const checkpoints = (await readIfThere(pool, `"${schema}".${table}`, read)) ?? [];
    return checkpoints.length > 0 && checkpoints.every((checkpoint) => checkpoint.position >= position);
  }

  async function hasParked(schema: string, streams: readonly string[]): Promise<boolean> {
    const table = `"${schema}".parked_events`;
    const find = () => pool.query(`select from ${table} where stream = any($1) limit 1`, [streams]);
    return ((await readIfThere(pool, table, find))?.rowCount ?? 0) > 0;
  }

  async function dropStanding(name: string, position: bigint): Promise<void> {
    const kept = await readKept(pool, name);
    if (kept?.checkpoints.some((checkpoint) => checkpoint.position < position)) await dropExpired(pool, name, 0);
    for (const left of [scratchPrefix(name), droppedSchema(name)]) await dropLeftovers(pool, left);
  }

  return {
    isPast: (projection, position) => isPast(projection, position),
    async behind(position, streams) {
      const found: string[] = [];
      for (const { name } of consumers) {
        await dropStanding(name, position);
        const { rows } = await pool.query<{ schema: string }>(
          `select nspname as schema from pg_namespace where nspname = $1 or starts_with(nspname, $1 || '__') order by 1`,
          [name],
        );
        for (const { schema } of rows) {
          const table = schema === oldSchema(name) ? KEPT_CHECKPOINTS : 'checkpoints';
          if (!(await isPast(schema, position, table)) || (await hasParked(schema, streams))) found.push(schema);
        }
      }
      return found;
    },
  };
}
