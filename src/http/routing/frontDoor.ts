import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorResponder } from '../reply/errorResponder.ts';
import type { RouteHandler, RouteHandlers } from './handleRoute.ts';
import { createPathTable } from './pathTable.ts';

/** Returns whether it answers the request. If not, Express does. */
export type FrontDoor = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Answers the requests for a declared path, in the spelling in which it is declared, with one of its methods. These are
 * nearly all requests, and Express's layers take longer than a cached answer. Everything else is Express's: other
 * spellings of the same paths, other methods, pages, files, and what does not exist. Both doors call the same handlers
 * and answer the same bytes; `src/app/doors.unit.test.ts` compares them.
 */
export function createFrontDoor(handlers: RouteHandlers, answerError: ErrorResponder): FrontDoor {
  const find = createPathTable([...handlers.keys()]);

  async function answer(
    handle: RouteHandler,
    params: Readonly<Record<string, string>>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    try {
      await handle({ request, response, params });
    } catch (error) {
      answerError(error, request, response);
    }
  }

  return (request, response) => {
    const { url = '' } = request;
    const end = url.indexOf('?');
    const found = find(end === -1 ? url : url.slice(0, end));
    if (found === undefined) return false;
    const method = request.method === 'HEAD' ? 'get' : request.method?.toLowerCase();
    const route = found.routes.find((each) => each.method === method);
    if (route === undefined) return false;
    answer(handlers.get(route)!, found.params, request, response).catch(() => response.destroy());
    return true;
  };
}
