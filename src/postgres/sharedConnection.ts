import type pg from 'pg';
import { isOutage } from './outage.ts';

/** What sends a query and answers with its rows as arrays: a pool, or a connection that callers share. */
export interface ArrayQueries {
  query<Row extends unknown[]>(query: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<Row>>;
}

/**
 * Sends all queries on one connection of the pool, each without waiting for the answers to those before it; PostgreSQL carries them out
 * in this order, each in a transaction of its own. The connection goes back to the pool when no query is left. After an outage, the
 * queries that were sent on it fail, and the next one gets another connection.
 */
export function createSharedConnection(pool: pg.Pool): ArrayQueries {
  interface Lease {
    readonly client: Promise<pg.PoolClient>;
    queries: number;
    isLost: boolean;
  }
  let current: Lease | undefined;

  return {
    async query<Row extends unknown[]>(query: pg.QueryArrayConfig) {
      const lease = (current ??= { client: pool.connect(), queries: 0, isLost: false });
      lease.queries++;
      try {
        const client = await lease.client;
        return await client.query<Row>(query);
      } catch (error) {
        lease.isLost ||= isOutage(error);
        throw error;
      } finally {
        lease.queries--;
        if ((lease.isLost || lease.queries === 0) && current === lease) current = undefined;
        if (lease.queries === 0) {
          lease.client.then(
            (client) => client.release(lease.isLost),
            () => undefined,
          );
        }
      }
    },
  };
}
