import type { EventStore } from '../core/eventStore.ts';
import type { Metrics } from './metrics.ts';

export interface RebuildProgressOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  readonly store: Pick<EventStore, 'head'>;
  readonly projections: readonly string[];
  /** Where each rebuild is that is under way in any process, by projection. */
  positions(): Promise<ReadonlyMap<string, bigint>>;
}

/** Shows at each scrape how far the rebuilds are. */
export function showRebuildProgress({ metrics, store, projections, positions }: RebuildProgressOptions): void {
  metrics.showAtScrape(['reelstream_rebuild_progress_ratio'], async (show) => {
    const rebuilding = await positions();
    const head = rebuilding.size === 0 ? 0n : await store.head();
    for (const projection of projections) {
      const position = rebuilding.get(projection) ?? head;
      const ratio = Number(position) / Math.max(1, Number(head));
      show('reelstream_rebuild_progress_ratio', { projection }, rebuilding.has(projection) ? Math.min(1, ratio) : 1);
    }
  });
}
