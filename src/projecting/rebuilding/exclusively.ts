import type pg from 'pg';
import { nextSchema } from './schemas.ts';

/** Another process, or another part of this one, is rebuilding the consumer. */
export class RebuildUnderWay extends Error {
  constructor(name: string) {
    super(`a rebuild of ${name} is already under way`);
    this.name = 'RebuildUnderWay';
  }
}

const keyOf = (name: string): string => `reelstream.rebuild ${name}`;

/**
 * Runs `work` while no other process rebuilds this consumer or rolls it back. The lock ends with its connection: a process
 * that was killed does not block later ones.
 * @throws RebuildUnderWay
 */
export async function exclusively<T>(pool: pg.Pool, name: string, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(hashtextextended($1, 0)) as locked`,
      [keyOf(name)],
    );
    if (!rows[0]!.locked) throw new RebuildUnderWay(name);
    return await work();
  } finally {
    // The server notices a closed connection only some time later, and until then it would refuse a second rebuild.
    await client.query('select pg_advisory_unlock_all()').catch(() => undefined);
    client.off('error', onError);
    client.release(true);
  }
}

/**
 * Whether a process fills new tables for this consumer at the moment. Not any more when they are in place: the process
 * holds its lock a little longer, to drop those that they replaced.
 */
export async function isRebuilding(pool: pg.Pool, name: string): Promise<boolean> {
  return (await isHeld(pool, name)) && (await hasSchema(pool, nextSchema(name)));
}

async function isHeld(pool: pg.Pool, name: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
       and database = (select oid from pg_database where datname = current_database())
       and (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)`,
    [keyOf(name)],
  );
  return rowCount !== 0;
}

async function hasSchema(pool: pg.Pool, schema: string): Promise<boolean> {
  const { rowCount } = await pool.query('select from pg_namespace where nspname = $1', [schema]);
  return rowCount !== 0;
}
