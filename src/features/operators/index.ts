import { defineFeature } from '../feature.ts';
import { NOBODY_HEARS } from '../../realtime/feedDefinition.ts';
import { parkedRoutes } from './parkedRoutes.ts';
import { projectionRoutes } from './projectionRoutes.ts';
import { operatorEventTypes, type ParkedEventDiscarded } from './events.ts';

export { discardedEvents, discardParkedEvent, retryParkedEvent, type DiscardParts } from './discards.ts';
export { discardReason } from './parkedRoutes.ts';
export { projectionView } from './projectionView.ts';

/** What admins do with projections. */
export const operators = defineFeature<ParkedEventDiscarded>({
  name: 'operators',
  events: operatorEventTypes,
  feed: { ParkedEventDiscarded: NOBODY_HEARS },
  routes: (context) => [...projectionRoutes(context), ...parkedRoutes(context)],
});
