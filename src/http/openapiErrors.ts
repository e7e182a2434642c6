import { z } from 'zod';
import type { Route } from './route.ts';

/** Every failure looks like this. */
export const errorBody = z
  .object({
    success: z.literal(false),
    statusCode: z.int(),
    message: z.string(),
    code: z.string().describe('Stable, in snake_case.'),
    errorMessages: z.array(z.object({ path: z.string(), message: z.string() })),
    requestId: z.string(),
  })
  .meta({ id: 'Error' });

/** What a route can answer without mentioning it itself: failures, for the most part. */
export function standardResponses(route: Route): [status: number, description: string][] {
  if (route.tag === 'System') return [];
  const rows: [boolean, number, string][] = [
    [route.etag === true && route.method === 'get', 304, 'The client has it already.'],
    [true, 400, 'Not valid; `errorMessages` has a message a field.'],
    [route.auth === 'required', 401, 'No access token, or one that is not valid any longer.'],
    [true, 405, 'The address has other methods; `Allow` names them.'],
    [route.method !== 'get', 409, 'Something else got there first, or the first request with this `Idempotency-Key` is still running.'],
    [route.body !== undefined, 413, 'The body is too large.'],
    [route.body !== undefined, 415, 'The body is not JSON.'],
    [route.method !== 'get', 422, 'Understood, but not possible; or the `Idempotency-Key` belongs to another request.'],
    [route.limit !== 'none', 429, 'Too many requests.'],
    [true, 500, 'Something went wrong on our side.'],
    [true, 503, 'A part that is needed is away, or the view has not caught up yet; try again.'],
  ];
  return rows.filter(([applies]) => applies).map(([, status, description]) => [status, description]);
}
