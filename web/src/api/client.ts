import createClient from 'openapi-fetch';
import { ApiError, type ErrorBody } from './apiError.ts';
import { authorizedFetch } from './authorizedFetch.ts';
import type { paths } from './schema.d.ts';

/** Calls the API. Types are generated from its OpenAPI document (`npm run web:types`). */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });

interface Answer<Body> {
  readonly data?: Body | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The body of a successful answer: `await answerOf(api.GET('/api/v1/video'))`.
 * @throws ApiError with what the server says, also when it cannot be reached.
 */
export async function answerOf<Body>(call: Promise<Answer<Body>>): Promise<NonNullable<Body>> {
  let answer: Answer<Body>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === 'AbortError')) throw error;
    throw ApiError.unreachable(error);
  }
  if (answer.response.ok) return answer.data as NonNullable<Body>;
  throw ApiError.of(answer.response, answer.error as ErrorBody | undefined);
}
