import type { EventStore } from '../core/eventStore.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import type { MeasureDistance } from './logDistance.ts';
import type { Metrics } from './metrics.ts';

/** A projection, and the types of events that it handles. */
export interface LaggingProjection {
  readonly name: string;
  readonly handles: readonly string[];
}

export interface ProjectionLagOptions {
  readonly metrics: Pick<Metrics, 'showAtScrape'>;
  readonly store: Pick<EventStore, 'head'>;
  readonly distance: MeasureDistance;
  readonly progress: Pick<ProjectionProgress, 'position' | 'state'>;
  readonly projections: readonly LaggingProjection[];
}

/** Shows at each scrape how far each projection is behind the head of the log. Shows nothing while the log is unknown. */
export function showProjectionLag({ metrics, store, distance, progress, projections }: ProjectionLagOptions): void {
  metrics.showAtScrape(['reelstream_projection_lag_events', 'reelstream_projection_lag_seconds'], async (show) => {
    // Positions are read before the head, so that the lag cannot be negative.
    const positions = projections.map((projection) => ({
      ...projection,
      position: progress.position(projection.name),
    }));
    const head = await store.head();
    // One after the other: a scrape takes one connection.
    for (const { name: projection, handles, position } of positions) {
      const { events, seconds } = await distance(position, head, handles);
      show('reelstream_projection_lag_events', { projection }, events);
      show('reelstream_projection_lag_seconds', { projection }, seconds);
    }
  });
  metrics.showAtScrape(['reelstream_projection_state'], (show) => {
    for (const { name: projection } of projections)
      show('reelstream_projection_state', { projection, state: progress.state(projection) }, 1);
  });
}
