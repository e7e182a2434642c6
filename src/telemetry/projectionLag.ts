import { Gauge } from 'prom-client';
import type { EventStore } from '../core/eventStore.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { Metrics } from './metrics.ts';

/** A scrape must not hang when the event store hangs. */
const LONGEST_WAIT_MS = 1_000;

export interface ProjectionLagOptions {
  readonly metrics: Pick<Metrics, 'registry'>;
  readonly store: Pick<EventStore, 'head'>;
  readonly progress: Pick<ProjectionProgress, 'position'>;
  readonly projections: readonly string[];
}

/** Shows at each scrape how far each projection is behind the head of the log. Shows nothing while the head is unknown. */
export function showProjectionLag({ metrics, store, progress, projections }: ProjectionLagOptions): void {
  new Gauge({
    name: 'reelstream_projection_lag_events',
    help: 'Positions between the head of the log and the last event that a projection has applied',
    labelNames: ['projection'] as const,
    registers: [metrics.registry],
    async collect() {
      // Positions are read before the head, so that the lag cannot be negative.
      const positions = projections.map((projection) => [projection, progress.position(projection)] as const);
      const head = await withTimeout(store.head(), LONGEST_WAIT_MS, () => undefined).catch(() => undefined);
      this.reset();
      if (head === undefined) return;
      for (const [projection, position] of positions) this.set({ projection }, Math.max(0, Number(head - position)));
    },
  });
}
