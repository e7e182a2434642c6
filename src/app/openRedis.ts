import type { Redis } from 'ioredis';
import type pg from 'pg';
import type { Logger } from 'pino';
import { createRedisGate } from '../cache/redisGate.ts';
import type { SharedRedis } from '../cache/sharedRedis.ts';
import { abortable } from '../core/abortable.ts';
import type { Names } from '../core/names.ts';
import type { Process } from './process.ts';

/** Undefined without `REDIS_URL`. */
export async function openRedis(
  { config, logger, parts, starting }: Process,
  { pool, names }: { readonly pool: pg.Pool; readonly names: Names },
): Promise<SharedRedis | undefined> {
  const { redisUrl } = config;
  if (redisUrl === undefined) return undefined;
  const { createRedisClient } = await import('../cache/redisClient.ts');
  const database = pool.query<{ name: string }>(
    `select oid || ' ' || datname as name from pg_database where datname = current_database()`,
  );
  const { rows } = await abortable(database, starting);
  const client = createRedisClient(redisUrl, logger);
  parts.defer(() => client.disconnect());
  warnUntilFirstReady(client, logger);
  const gate = createRedisGate({ redis: client, logger });
  parts.defer(() => gate.close());
  return { client, gate, namespace: names('namespace', rows[0]!.name).slice(0, 12) };
}

/** One warning if the first connection fails. After it, the gate logs outages. The start does not wait for Redis. */
function warnUntilFirstReady(client: Redis, logger: Logger): void {
  const warn = (error: NodeJS.ErrnoException): void => {
    logger.warn(
      { reason: error.message || error.code },
      'The Redis that REDIS_URL names cannot be used yet. Until it can, each process has a cache and rate limits of its own.',
    );
  };
  client.once('error', warn);
  client.once('ready', () => client.off('error', warn));
}
