import { accountRoutes, type AccountRoutesDependencies } from '../features/accounts/routes.ts';
import { analyticsRoutes, type AnalyticsRoutesDependencies } from '../features/analytics/routes.ts';
import type { Route } from '../http/route.ts';
import { likeRoutes, type LikeRoutesDependencies } from '../features/likes/routes.ts';
import { sessionRoutes, type SessionRoutesDependencies } from '../features/sessions/routes.ts';
import { videoRoutes, type VideoRoutesDependencies } from '../features/videos/routes.ts';

export interface ApiRoutesDependencies {
  readonly accounts: AccountRoutesDependencies;
  readonly sessions: SessionRoutesDependencies;
  readonly videos: VideoRoutesDependencies;
  readonly likes: LikeRoutesDependencies;
  readonly analytics: AnalyticsRoutesDependencies;
}

/** Every route of the API. */
export function apiRoutes({ accounts, sessions, videos, likes, analytics }: ApiRoutesDependencies): Route[] {
  return [
    ...accountRoutes(accounts),
    ...sessionRoutes(sessions),
    ...videoRoutes(videos),
    ...likeRoutes(likes),
    ...analyticsRoutes(analytics),
  ];
}

/** The same, to be read and not to be run: a declaration touches none of its dependencies, a handler without them fails. */
export function declaredApiRoutes(): Route[] {
  const none = {} as never;
  return apiRoutes({ accounts: none, sessions: none, videos: none, likes: none, analytics: none });
}
