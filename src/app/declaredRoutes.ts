import { apiRoutes, feed } from '../features/index.ts';
import { documentedRoutes } from '../http/httpApp.ts';
import type { Route } from '../http/route.ts';
import { realtimeDocs } from '../realtime/realtimeDocs.ts';
import { contextOfDeclarations } from './apiContext.ts';

/** The routes of all features, for reading. They cannot be called. */
export function declaredApiRoutes(): Route[] {
  return apiRoutes(contextOfDeclarations);
}

/** Every route of the API, including the system's own, for reading. They cannot be called. */
export function declaredRoutes(): Route[] {
  return documentedRoutes(declaredApiRoutes(), { realtime: realtimeDocs(feed) } as never);
}
