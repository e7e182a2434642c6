import type { Application } from 'express';
import { DomainError } from '../../core/errors.ts';
import { handlerOf, type RouteDependencies } from './handleRoute.ts';
import type { Route } from '../route.ts';

/** Mounts routes, literal paths before parameters. A known path answers 405 for a method that it does not support. */
export function mountRoutes(app: Application, routes: readonly Route[], dependencies: RouteDependencies): void {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  for (const path of [...byPath.keys()].sort(literalFirst)) {
    const here = byPath.get(path) ?? [];
    for (const route of here) app[route.method](path, handlerOf(route, dependencies));
    const allow = allowedMethods(here);
    app.all(path, (request, response) => {
      response.setHeader('Allow', allow);
      if (request.method === 'OPTIONS') response.status(204).end();
      else
        throw new DomainError(
          'methodNotAllowed',
          'method_not_allowed',
          `This address does not support ${request.method}, only ${allow}.`,
        );
    });
  }
}

function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.map(({ method }) => method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function literalFirst(one: string, other: string): number {
  const key = (path: string): string => path.replaceAll(':', '\uffff');
  return key(one) < key(other) ? -1 : 1;
}
