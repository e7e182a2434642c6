import type { Metrics } from './metrics.ts';

export interface ComponentMetricsOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  /** Whether each part answers. */
  statuses(): Promise<Readonly<Record<string, { readonly status: 'up' | 'down' }>>>;
}

/** Shows at each scrape which parts answer that this process works with. */
export function showComponents({ metrics, statuses }: ComponentMetricsOptions): void {
  metrics.showAtScrape(['reelstream_component_up'], async (show) => {
    for (const [component, { status }] of Object.entries(await statuses()))
      show('reelstream_component_up', { component }, status === 'up' ? 1 : 0);
  });
}
