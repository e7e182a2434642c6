import { defineFeature } from '../feature.ts';
import { NOBODY_HEARS } from '../../realtime/feedDefinition.ts';
import { jobRoutes } from './jobRoutes.ts';
import { parkedRoutes } from './parkedRoutes.ts';
import { projectionRoutes } from './projectionRoutes.ts';
import { systemRoute } from './systemRoute.ts';
import { operatorEventTypes, type ParkedEventDiscarded } from './events.ts';

export { discardedEvents, discardParkedEvent, retryParkedEvent, type DiscardParts } from './discards.ts';
export { discardReason } from './parkedRoutes.ts';
export { jobView } from './jobSchema.ts';
export { projectionView } from './projectionView.ts';
export type { SystemReport } from './systemSchema.ts';

/** What admins see of the system, and what they do with projections and jobs. */
export const operators = defineFeature<ParkedEventDiscarded>({
  name: 'operators',
  events: operatorEventTypes,
  feed: { ParkedEventDiscarded: NOBODY_HEARS },
  routes: (context) => [
    ...projectionRoutes(context),
    ...parkedRoutes(context),
    ...jobRoutes(context),
    systemRoute(context),
  ],
});
