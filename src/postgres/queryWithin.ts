import type pg from 'pg';

/**
 * Runs a query on any connection of the pool and returns its rows as arrays. It takes `timeoutMs` at most, including the time to
 * get a connection, or fails with an outage (`isOutage`). After a timeout it is unknown whether the statement took effect.
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
  // The timeout of the driver begins when the query is sent. It closes a connection that hangs.
  const limited = { ...query, query_timeout: timeoutMs };
  const answer = pool.query<Row>(limited);
  try {
    return (await Promise.race([answer, late.promise])).rows;
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
