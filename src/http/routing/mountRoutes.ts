import type { Application } from 'express';
import { DomainError } from '../../core/errors.ts';
import type { Route } from '../route.ts';
import { notesOf } from './exchange.ts';
import type { RouteHandlers } from './handleRoute.ts';

/**
 * Mounts routes on Express, literal paths before parameters. A known path answers 405 for a method that it does not
 * support.
 */
export function mountRoutes(app: Application, handlers: RouteHandlers): void {
  const byPath = Map.groupBy(handlers.keys(), ({ path }) => path);
  for (const path of [...byPath.keys()].sort(literalFirst)) {
    const here = byPath.get(path) ?? [];
    for (const route of here) {
      const handle = handlers.get(route)!;
      app[route.method](path, (request, response) => handle({ request, response, params: request.params }));
    }
    const allow = allowedMethods(here);
    const options = Object.assign({}, ...here.map((route) => route.options)) as Record<string, string>;
    app.all(path, (request, response) => {
      notesOf(response).part = path;
      response.setHeader('Allow', allow);
      if (request.method === 'OPTIONS') response.status(204).set(options).end();
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
