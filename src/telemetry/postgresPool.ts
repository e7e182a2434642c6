import type { Metrics } from './metrics.ts';

/** The numbers of a pool of `pg`. */
interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: { readonly max: number };
}

export interface PostgresPoolOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  readonly pool: Pool;
  /** What its connections are for. */
  readonly name: string;
}

/** Shows at each scrape how a pool of connections is used. */
export function showPool({ metrics, pool, name }: PostgresPoolOptions): void {
  metrics.showAtScrape(
    [
      'reelstream_postgres_pool_connections',
      'reelstream_postgres_pool_max_connections',
      'reelstream_postgres_pool_waiting',
    ],
    (show) => {
      const { totalCount, idleCount, waitingCount, options } = pool;
      show('reelstream_postgres_pool_connections', { pool: name, state: 'used' }, totalCount - idleCount);
      show('reelstream_postgres_pool_connections', { pool: name, state: 'idle' }, idleCount);
      show('reelstream_postgres_pool_max_connections', { pool: name }, options.max);
      show('reelstream_postgres_pool_waiting', { pool: name }, waitingCount);
    },
  );
}
