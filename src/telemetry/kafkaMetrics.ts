import type { EventStore } from '../core/eventStore.ts';
import type { MeasureDistance } from './logDistance.ts';
import type { Metrics } from './metrics.ts';

export interface RelayMetricsOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  readonly store: Pick<EventStore, 'head'>;
  readonly distance: MeasureDistance;
  /** How far the log has been copied; undefined while another relay copies it. */
  position(): bigint | undefined;
}

/** Shows at each scrape whether this relay copies the log, and how far it is behind. */
export function showRelay({ metrics, store, distance, position }: RelayMetricsOptions): void {
  metrics.showAtScrape(['reelstream_relay_active'], (show) =>
    show('reelstream_relay_active', {}, position() === undefined ? 0 : 1),
  );
  metrics.showAtScrape(['reelstream_relay_lag_events', 'reelstream_relay_lag_seconds'], async (show) => {
    const copied = position();
    if (copied === undefined) return;
    const { events, seconds } = await distance(copied, await store.head());
    show('reelstream_relay_lag_events', {}, events);
    show('reelstream_relay_lag_seconds', {}, seconds);
  });
}

export interface GroupMetricsOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  readonly group: string;
  /** Records that the consumers are not done with. */
  lag(): number;
}

/** Shows at each scrape how far a consumer group is behind its topic, in the partitions of this process. */
export function showGroupLag({ metrics, group, lag }: GroupMetricsOptions): void {
  metrics.showAtScrape(['reelstream_consumer_group_lag_records'], (show) =>
    show('reelstream_consumer_group_lag_records', { group }, lag()),
  );
}
