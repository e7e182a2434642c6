import { NOBODY_HEARS } from '../../realtime/feedDefinition.ts';
import { defineFeature } from '../feature.ts';
import { sessionEventTypes, type SessionEvent } from './events.ts';
import { sessionRoutes } from './routes.ts';

export { createTokens, type TokenOptions } from './tokens.ts';

/** Log in, stay logged in, log out. */
export const sessions = defineFeature<SessionEvent>({
  name: 'sessions',
  events: sessionEventTypes,
  feed: { SessionStarted: NOBODY_HEARS, SessionRefreshed: NOBODY_HEARS, SessionRevoked: NOBODY_HEARS },
  routes: sessionRoutes,
});
