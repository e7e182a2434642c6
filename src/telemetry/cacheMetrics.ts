import type { Metrics } from './metrics.ts';

/**
 * How queries were answered since the start of the process. `hit`: from this process. `joined`: together with an equal
 * query. `shared`: from Redis. `miss`: from the database.
 */
export type CacheCounts = Record<'hit' | 'joined' | 'shared' | 'miss', number>;

export function createCacheCounts(): CacheCounts {
  return { hit: 0, joined: 0, shared: 0, miss: 0 };
}

/** Shows at each scrape how the cache of answers is used. */
export function showCache(metrics: Pick<Metrics, 'showAtScrape'>, counts: Readonly<CacheCounts>): void {
  metrics.showAtScrape(['reelstream_cache_reads_total'], (show) => {
    for (const [result, count] of Object.entries(counts)) show('reelstream_cache_reads_total', { result }, count);
  });
}
