import type { Metrics } from './metrics.ts';

export interface FailingConsumersOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  /** The state of each consumer of the process. */
  states(): Readonly<Record<string, string>>;
}

/** Counts the batches that a consumer has applied. */
export type ObserveBatch = (consumer: string, events: number, seconds: number) => void;

export function observeBatches({ counter, histogram }: Pick<Metrics, 'counter' | 'histogram'>): ObserveBatch {
  const applied = counter('reelstream_consumer_events_total');
  const durations = histogram('reelstream_consumer_batch_duration_seconds');
  return (consumer, events, seconds) => {
    applied.inc({ consumer }, events);
    durations.observe({ consumer }, seconds);
  };
}

/** Shows at each scrape which consumers fail. */
export function showFailingConsumers({ metrics, states }: FailingConsumersOptions): void {
  metrics.showAtScrape(['reelstream_consumer_failing'], (show) => {
    for (const [consumer, state] of Object.entries(states()))
      show('reelstream_consumer_failing', { consumer }, state === 'failing' ? 1 : 0);
  });
}
