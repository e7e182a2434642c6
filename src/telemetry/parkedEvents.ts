import { Gauge } from 'prom-client';
import { withTimeout } from '../core/withTimeout.ts';
import type { Metrics } from './metrics.ts';

/** A scrape must not hang when the database hangs. */
const LONGEST_WAIT_MS = 1_000;

export interface ParkedEventsOptions {
  readonly metrics: Pick<Metrics, 'registry'>;
  /** Those that this process runs. */
  readonly consumers: readonly string[];
  /** At most 10 000, so that a scrape stays cheap. */
  count(consumer: string): Promise<number>;
}

/** Shows at each scrape how many events each consumer has parked. Shows nothing for a consumer whose number is unknown. */
export function showParkedEvents({ metrics, consumers, count }: ParkedEventsOptions): void {
  new Gauge({
    name: 'reelstream_parked_events',
    help: 'Events that a projection or subscriber could not apply, and those that wait behind them; counted up to 10 000',
    labelNames: ['consumer'] as const,
    registers: [metrics.registry],
    async collect() {
      const known = new Map<string, number>();
      // One after the other: a scrape takes one connection.
      const counting = (async () => {
        for (const consumer of consumers) {
          const parked = await count(consumer).catch(() => undefined);
          if (parked !== undefined) known.set(consumer, parked);
        }
      })();
      await withTimeout(counting, LONGEST_WAIT_MS, () => undefined);
      this.reset();
      for (const [consumer, parked] of known) this.set({ consumer }, parked);
    },
  });
}
