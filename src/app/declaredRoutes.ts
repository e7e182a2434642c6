import { apiRoutes, feed } from '../features/index.ts';
import { documentedRoutes } from '../http/httpApp.ts';
import type { Route } from '../http/route.ts';
import { realtimeDocs } from '../realtime/realtimeDocs.ts';
import { contextOfDeclarations } from './apiContext.ts';

/** The routes of all features, to be read and not to be called. */
export function declaredApiRoutes(): Route[] {
  return apiRoutes(contextOfDeclarations);
}

/** Every route of the API, the system's own among them, to be read and not to be called. */
export function declaredRoutes(): Route[] {
  return documentedRoutes(declaredApiRoutes(), { realtime: realtimeDocs(feed) } as never);
}
