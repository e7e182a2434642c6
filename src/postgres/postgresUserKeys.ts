import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { EventStoreUnavailable } from '../core/eventStore.ts';
import { isOutage } from './outage.ts';
import { queryWithTimeout } from './queryWithTimeout.ts';
import type { KeyRing } from '../core/keyRing.ts';
import type { Names } from '../core/names.ts';
import { UnknownUserKey, UserForgotten, type UserKeyStore } from '../core/userKeys.ts';
import { openMasterKeys, openNames } from './masterKeys.ts';

export interface PostgresUserKeysOptions {
  /** The caller closes it. */
  readonly pool: pg.Pool;
  /** DATA_KEY, and others that are known while it is being replaced: 32 bytes each. */
  readonly masterKeys: KeyRing<Buffer>;
  /** How long a key is used before the database is asked again whether its user has been forgotten (ms). Default: 5 000. */
  readonly cacheMs?: number;
  /** The maximum number of keys in memory. Default: 10 000. */
  readonly cacheSize?: number;
}

const QUERY_TIMEOUT_MS = 5_000;

/** Stands for a forgotten user in the cache. */
const TOMBSTONE = Buffer.alloc(0);

/** How often a new key is encrypted again because the master key has changed meanwhile. It changes once in months. */
const TRIES = 3;

/**
 * Users' keys in the table `reelstream.user_keys`, encrypted with the master key, and the names of the installation. The first process
 * that opens a database stores a fingerprint of its master key there. @throws WrongMasterKey when the fingerprint is of another key.
 */
export async function openPostgresUserKeys({
  pool,
  masterKeys: ring,
  cacheMs = 5_000,
  cacheSize = 10_000,
}: PostgresUserKeysOptions): Promise<UserKeyStore & { readonly names: Names }> {
  const masterKeys = await openMasterKeys(query, ring);
  const names = await openNames(query, masterKeys, ring);
  const cache = new LRUCache<string, Buffer>({ max: cacheSize, ttl: cacheMs });

  async function query<Row extends unknown[]>(text: string, values: unknown[] = []): Promise<Row[]> {
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
    const rows = await query<[string, Buffer | null, number]>(
      'select user_id, wrapped, master from reelstream.user_keys where user_id = any($1)',
      [[...missing]],
    );
    for (const [userId, wrapped, master] of rows) {
      const key = wrapped === null ? TOMBSTONE : await masterKeys.unwrap({ wrapped, master }, userId);
      cache.set(userId, key);
      found.set(userId, key);
    }
    return found;
  }

  /**
   * Creates keys for users who have none. When two processes do this at the same time, the first wins, and both then read its key.
   * Nothing is created once another master key is the current one: the lock of its row makes a rotation wait for this.
   */
  async function create(userIds: readonly string[]): Promise<void> {
    const made = userIds.map((userId) => masterKeys.wrap(randomBytes(32), userId));
    await query(
      `with master as materialized (select number from reelstream.master_keys where number = $3 and current for share)
       insert into reelstream.user_keys (user_id, wrapped, master)
       select user_id, wrapped, number from master, unnest($1::text[], $2::bytea[]) as made (user_id, wrapped) on conflict do nothing`,
      [userIds, made.map(({ wrapped }) => wrapped), made[0]!.master],
    );
  }

  return {
    names,
    async forSealing(userIds) {
      let found = await find(userIds);
      for (let tries = 0; ; tries++) {
        const without = [...new Set(userIds)].filter((userId) => !found.has(userId)).sort();
        if (without.length === 0) break;
        if (tries === TRIES) throw new EventStoreUnavailable('the keys of personal data are being encrypted anew');
        if (tries > 0) await masterKeys.read();
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
    async forget(userId) {
      await query(FORGET, [userId]);
      cache.set(userId, TOMBSTONE);
      // The row with the key stays in the file as a dead version until then. Without it, autovacuum does so later.
      await query('vacuum reelstream.user_keys', []);
    },
  };
}

/** The first time counts. */
const FORGET = `
  insert into reelstream.user_keys as k (user_id, forgotten_at) values ($1, now())
  on conflict (user_id) do update set wrapped = null, forgotten_at = now() where k.forgotten_at is null`;
