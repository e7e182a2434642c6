import type pg from 'pg';

/**
 * The rows, as arrays, of a query by any connection of the pool. It answers within `timeoutMs`, the time to get a connection
 * included, or fails as an outage (`isOutage`). What became of a statement that did not answer in time is not known.
 */
export async function queryWithin<Row extends unknown[]>(
  pool: pg.Pool,
  query: pg.QueryArrayConfig,
  timeoutMs: number,
): Promise<Row[]> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      late.reject(Object.assign(new Error(`PostgreSQL did not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' })),
    timeoutMs,
  );
  // The driver's own limit begins when the query is sent; it is what ends a connection that hangs.
  const limited = { ...query, query_timeout: timeoutMs };
  const answer = pool.query<Row>(limited);
  try {
    return (await Promise.race([answer, late.promise])).rows;
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
