import pg from 'pg';

const INT8 = 20;
const DATE = 1082;

/** int8 arrives as bigint (log positions do not fit a double), date as `YYYY-MM-DD` (a Date would be local midnight). */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 && format !== 'binary') return BigInt;
    if (oid === DATE && format !== 'binary') return String;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

export interface PoolOptions {
  readonly connectionString: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Most connections; 10 by default. */
  readonly max?: number;
  /** Milliseconds after which a query is given up, also when the server hangs and says nothing; no limit by default. */
  readonly queryTimeoutMs?: number;
  /** Hears of connections lost while idle; queries report their own errors. */
  readonly onError?: (error: Error) => void;
}

export function createPool({
  connectionString,
  name,
  max = 10,
  queryTimeoutMs,
  onError = () => undefined,
}: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: `reelstream ${name}`,
    max,
    types,
    connectionTimeoutMillis: 5_000,
    query_timeout: queryTimeoutMs,
    // A connection that waits for news sends nothing, and would never learn that the other end is gone.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Without a listener, an idle connection that the server closes would end the process. One that we are closing is no news.
  pool.on('error', (error) => {
    // The whole client hangs on it; no log wants that.
    Reflect.deleteProperty(error, 'client');
    if (!pool.ending) onError(error);
  });
  return pool;
}
