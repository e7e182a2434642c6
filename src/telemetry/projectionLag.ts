import { Gauge } from 'prom-client';
import { abortable } from '../core/abortable.ts';
import type { EventStore } from '../core/eventStore.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import type { Metrics } from './metrics.ts';

/** A scrape must not hang on an event store that does. */
const LONGEST_WAIT_MS = 1_000;

export interface ProjectionLagOptions {
  readonly metrics: Pick<Metrics, 'registry'>;
  readonly store: Pick<EventStore, 'head'>;
  readonly progress: Pick<ProjectionProgress, 'position'>;
  readonly projections: readonly string[];
}

/** Shows, at each scrape, how far each projection is behind the head of the log; nothing while the head is not known. */
export function showProjectionLag({ metrics, store, progress, projections }: ProjectionLagOptions): void {
  new Gauge({
    name: 'reelstream_projection_lag_events',
    help: 'Positions between the head of the log and what a projection has taken in',
    labelNames: ['projection'] as const,
    registers: [metrics.registry],
    async collect() {
      // Read first: what a projection takes in meanwhile must not show as a negative lag.
      const positions = projections.map((projection) => [projection, progress.position(projection)] as const);
      const head = await abortable(store.head(), AbortSignal.timeout(LONGEST_WAIT_MS)).catch(() => undefined);
      this.reset();
      if (head === undefined) return;
      for (const [projection, position] of positions) this.set({ projection }, Math.max(0, Number(head - position)));
    },
  });
}
