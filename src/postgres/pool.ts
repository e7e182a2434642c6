import pg from 'pg';
import { createTurnSocket } from './turnSocket.ts';

const INT8 = 20;
const DATE = 1082;

/** int8 is read as bigint, since log positions do not fit into a double. date is read as `YYYY-MM-DD`, since a Date would be midnight in the local time zone. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 && format !== 'binary') return BigInt;
    if (oid === DATE && format !== 'binary') return String;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

export interface PoolOptions {
  readonly connectionString: string;
  /** Part of the application name in pg_stat_activity. */
  readonly name: string;
  /** The maximum number of connections. Default: 10. */
  readonly max?: number;
  /** A query fails after this time (ms), also when the server hangs. Default: no limit. */
  readonly queryTimeoutMs?: number;
  /** Called when an idle connection is lost. Queries report their own errors. */
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
    // Statements that do not wait for each other's results are sent together, in one round trip.
    pipeline: true,
    stream: createTurnSocket,
    // A connection that waits for notifications sends nothing. Keep-alive is how it learns that the other end has gone.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // The pool listens only to idle connections. Without this listener, the process would end when a connection is lost
  // between two statements of a transaction. The next statement then fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Without a listener, the process would end when the server closes an idle connection.
  pool.on('error', (error) => {
    // `client` is a large object that must not be logged.
    Reflect.deleteProperty(error, 'client');
    if (!pool.ending) onError(error);
  });
  return pool;
}
