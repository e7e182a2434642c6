import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { EventStoreUnavailable } from '../core/eventStore.ts';
import { isOutage } from './outage.ts';
import { queryWithTimeout } from './queryWithTimeout.ts';
import { seal, subkey, unseal } from '../core/sealing.ts';
import { UnknownUserKey, UserForgotten, WrongMasterKey, type UserKeys } from '../core/userKeys.ts';

export interface PostgresUserKeysOptions {
  /** The caller closes it. */
  readonly pool: pg.Pool;
  /** DATA_KEY: 32 bytes. */
  readonly masterKey: Buffer;
  /** How long a key is used before the database is asked again whether its user has been forgotten (ms). Default: 5 000. */
  readonly cacheMs?: number;
  /** The maximum number of keys in memory. Default: 10 000. */
  readonly cacheSize?: number;
}

const QUERY_TIMEOUT_MS = 5_000;

/** Stands for a forgotten user in the cache. */
const TOMBSTONE = Buffer.alloc(0);

/**
 * Users' keys in the table `reelstream.user_keys`, encrypted with the master key. The first process that opens a database stores a
 * fingerprint of its master key there. @throws WrongMasterKey when the fingerprint is of another key.
 */
export async function openPostgresUserKeys({
  pool,
  masterKey,
  cacheMs = 5_000,
  cacheSize = 10_000,
}: PostgresUserKeysOptions): Promise<UserKeys> {
  const wrappingKey = subkey(masterKey, 'wrap');
  await checkMasterKey(pool, masterKey);
  const cache = new LRUCache<string, Buffer>({ max: cacheSize, ttl: cacheMs });

  async function query<Row extends unknown[]>(text: string, values: unknown[]): Promise<Row[]> {
    try {
      return await queryWithTimeout<Row>(pool, { text, values, rowMode: 'array' }, QUERY_TIMEOUT_MS);
    } catch (cause) {
      if (isOutage(cause)) throw new EventStoreUnavailable('the keys of personal data cannot be read', { cause });
      throw cause;
    }
  }

  /** Returns keys and tombstones. Users who have neither are missing in the result. */
  async function find(userIds: readonly string[]): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const missing = new Set<string>();
    for (const userId of userIds) {
      const key = cache.get(userId);
      if (key !== undefined) found.set(userId, key);
      else missing.add(userId);
    }
    if (missing.size === 0) return found;
    const rows = await query<[string, Buffer | null]>(
      'select user_id, wrapped from reelstream.user_keys where user_id = any($1)',
      [[...missing]],
    );
    for (const [userId, wrapped] of rows) {
      const key = wrapped === null ? TOMBSTONE : unseal(wrappingKey, wrapped, userId);
      cache.set(userId, key);
      found.set(userId, key);
    }
    return found;
  }

  /** Creates keys for users who have none. When two processes do this at the same time, the first wins, and both then read its key. */
  async function create(userIds: readonly string[]): Promise<void> {
    await query(
      'insert into reelstream.user_keys (user_id, wrapped) select * from unnest($1::text[], $2::bytea[]) on conflict do nothing',
      [userIds, userIds.map((userId) => seal(wrappingKey, randomBytes(32), userId))],
    );
  }

  return {
    async forSealing(userIds) {
      let found = await find(userIds);
      const without = [...new Set(userIds)].filter((userId) => !found.has(userId)).sort();
      if (without.length > 0) {
        await create(without);
        found = await find(userIds);
      }
      for (const key of found.values()) if (key === TOMBSTONE) throw new UserForgotten();
      return found;
    },
    async forOpening(userIds) {
      const found = await find(userIds);
      return new Map(
        userIds.map((userId) => {
          const key = found.get(userId);
          if (key === undefined) throw new UnknownUserKey(userId);
          return [userId, key === TOMBSTONE ? undefined : key];
        }),
      );
    },
  };
}

async function checkMasterKey(pool: pg.Pool, masterKey: Buffer): Promise<void> {
  const fingerprint = createHmac('sha256', subkey(masterKey, 'fingerprint')).digest();
  await pool.query('insert into reelstream.master_key (fingerprint) values ($1) on conflict do nothing', [fingerprint]);
  const { rows } = await pool.query<{ fingerprint: Buffer }>('select fingerprint from reelstream.master_key');
  if (!timingSafeEqual(rows[0]!.fingerprint, fingerprint)) throw new WrongMasterKey();
}
