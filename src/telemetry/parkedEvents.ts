import type { Metrics } from './metrics.ts';

export interface ParkedEventsOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  /** Those that this process runs. */
  readonly consumers: readonly string[];
  /** At most 10 000, so that a scrape stays cheap. */
  count(consumer: string): Promise<number>;
}

/** Shows at each scrape how many events each consumer has parked. Shows nothing for a consumer whose number is unknown. */
export function showParkedEvents({ metrics, consumers, count }: ParkedEventsOptions): void {
  metrics.showAtScrape(['reelstream_parked_events'], async (show) => {
    // One after the other: a scrape takes one connection.
    for (const consumer of consumers) {
      const parked = await count(consumer).catch(() => undefined);
      if (parked !== undefined) show('reelstream_parked_events', { consumer }, parked);
    }
  });
}
