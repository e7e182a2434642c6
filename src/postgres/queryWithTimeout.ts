import type pg from 'pg';
import { withTimeout } from '../core/withTimeout.ts';
import type { ArrayQueries } from './sharedConnection.ts';

/**
 * The rows, as arrays, of a query. Answers within `timeoutMs`, including the time to get a
 * connection, or fails as an outage (`isOutage`). Beyond `withTimeout` it also has the driver give up the query and close
 * a connection that hangs. Whether a statement that did not answer in time took effect is unknown.
 */
export async function queryWithTimeout<Row extends unknown[]>(
  queries: ArrayQueries,
  query: pg.QueryArrayConfig,
  timeoutMs: number,
): Promise<Row[]> {
  // The driver's own limit begins when the query is sent.
  const limited = { ...query, query_timeout: timeoutMs };
  const { rows } = await withTimeout(queries.query<Row>(limited), timeoutMs, () => {
    throw Object.assign(new Error(`PostgreSQL did not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
  });
  return rows;
}
