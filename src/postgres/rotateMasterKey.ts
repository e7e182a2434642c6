import type pg from 'pg';
import type { KeyRing } from '../core/keyRing.ts';
import { seal } from '../core/sealing.ts';
import { fingerprintOf, nameContext, openMasterKeys, wrappingKey, type MasterKeys, type Query } from './masterKeys.ts';

export interface RotateMasterKeyOptions {
  readonly pool: pg.Pool;
  /** The first one is to be the master key; the present one must be among the others. */
  readonly ring: KeyRing<Buffer>;
  /** Keys that are encrypted in one transaction. Default: 500. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes the first key of the ring the master key, and encrypts every user's key with it. Other processes may run, register users
 * and forget them, and do the same rotation. After a kill, the next call goes on. Returns how many keys it encrypted.
 * @throws WrongMasterKey when the present master key is not in the ring
 */
export async function rotateMasterKey(options: RotateMasterKeyOptions): Promise<number> {
  const { pool, ring } = options;
  const masterKeys = await openMasterKeys(queryOf(pool), ring);
  let done = 0;
  do {
    // Also a rotation to another key that was not completed: only two master keys are in use at a time.
    done += await rewrap(options, masterKeys);
  } while ((await makeCurrent(pool, ring.keys()[0]!, masterKeys)) !== 'already');
  return done;
}

export interface MasterKeyUse {
  readonly number: number;
  readonly since: Date;
  /** How many users' keys it encrypts, and how many the one before it still encrypts. */
  readonly users: number;
  readonly usersOfEarlier: number;
  /** Whether the key before it is no longer needed. */
  readonly complete: boolean;
}

/** Undefined before the first start. */
export async function masterKeyUse(pool: pg.Pool): Promise<MasterKeyUse | undefined> {
  const { rows } = await pool.query<MasterKeyUse>(
    `select number, since, complete_at is not null as complete,
       (select count(*)::int from reelstream.user_keys where wrapped is not null and master = number) as users,
       (select count(*)::int from reelstream.user_keys where wrapped is not null and master <> number) as "usersOfEarlier"
     from reelstream.master_keys where current`,
  );
  return rows[0];
}

/** From then on, every process encrypts new keys with it. */
async function makeCurrent(
  pool: pg.Pool,
  key: Buffer,
  masterKeys: MasterKeys,
): Promise<'already' | 'changed' | 'incomplete'> {
  const changed = await transaction(pool, async (query) => {
    // Waits for those who store keys that they encrypted with the present one (`for share`).
    const [present] = await query<[number, Buffer, boolean]>(
      'select number, fingerprint, complete_at is not null from reelstream.master_keys where current for update',
    );
    // While this waited for its row, another command has made a newer key current.
    if (present === undefined) return 'incomplete';
    const [number, fingerprint, complete] = present;
    if (!complete) return 'incomplete';
    if (fingerprintOf(key, number).equals(fingerprint)) return 'already';
    const next = number + 1;
    await query('update reelstream.master_keys set current = false where current');
    await query('insert into reelstream.master_keys (number, fingerprint, current) values ($1, $2, true)', [
      next,
      fingerprintOf(key, next),
    ]);
    await query('update reelstream.master_key set fingerprint = $1', [fingerprintOf(key, next)]);
    for (const [kind, wrapped, master] of await query<[string, Buffer, number]>(
      'select kind, wrapped, master from reelstream.name_keys for update',
    )) {
      const plain = await masterKeys.unwrap({ wrapped, master }, nameContext(kind));
      const anew = seal(wrappingKey(key), plain, nameContext(kind));
      await query('update reelstream.name_keys set wrapped = $2, master = $3 where kind = $1', [kind, anew, next]);
    }
    return 'changed';
  });
  await masterKeys.read();
  return changed;
}

async function rewrap(
  { pool, batch = 500, signal, onProgress }: RotateMasterKeyOptions,
  masterKeys: MasterKeys,
): Promise<number> {
  const query = queryOf(pool);
  let done = 0;
  for (;;) {
    const use = await masterKeyUse(pool);
    if (use === undefined || use.complete) return done;
    const total = done + use.usersOfEarlier;
    for (let after: string | undefined = ''; after !== undefined;) {
      signal?.throwIfAborted();
      const last: string = after;
      const moved = await transaction(pool, (inside) => rewrapBatch(inside, masterKeys, use.number, last, batch));
      after = moved.last;
      done += moved.count;
      onProgress?.(done, total);
    }
    // Nothing is encrypted with an earlier key any more, since `makeCurrent` waited for those who did so.
    await query(
      `update reelstream.master_keys set complete_at = now() where number = $1
       and not exists (select from reelstream.user_keys where wrapped is not null and master <> $1)`,
      [use.number],
    );
  }
}

/** Those after this user. Rows that another process is changing are waited for, and left out if it has done them. */
async function rewrapBatch(
  query: Query,
  masterKeys: MasterKeys,
  number: number,
  after: string,
  batch: number,
): Promise<{ count: number; last: string | undefined }> {
  const rows = await query<[string, Buffer, number]>(
    `select user_id, wrapped, master from reelstream.user_keys
     where user_id > $1 and wrapped is not null and master <> $2 order by user_id limit $3 for update`,
    [after, number, batch],
  );
  if (rows.length === 0) return { count: 0, last: undefined };
  const anew = [];
  for (const [userId, wrapped, master] of rows)
    anew.push(masterKeys.wrap(await masterKeys.unwrap({ wrapped, master }, userId), userId));
  await query(
    `update reelstream.user_keys u set wrapped = n.wrapped, master = n.master
     from unnest($1::text[], $2::bytea[], $3::smallint[]) as n (user_id, wrapped, master) where u.user_id = n.user_id`,
    [rows.map(([userId]) => userId), anew.map(({ wrapped }) => wrapped), anew.map(({ master }) => master)],
  );
  return { count: rows.length, last: rows.at(-1)?.[0] };
}

function queryOf(client: pg.Pool | pg.PoolClient): Query {
  return async <Row extends unknown[]>(text: string, values: unknown[] = []) =>
    (await client.query<Row>({ text, values, rowMode: 'array' })).rows;
}

async function transaction<T>(pool: pg.Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(queryOf(client));
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    // A connection in an unknown state is not used again. The server rolls back.
    client.release(true);
    throw error;
  }
}
