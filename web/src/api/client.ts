import createClient from 'openapi-fetch';
import { ApiError, type ErrorBody } from './apiError.ts';
import { authorizedFetch } from './authorizedFetch.ts';
import type { paths } from './schema.d.ts';

/** Calls the API. Types are generated from its OpenAPI document (`npm run web:types`). */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });

const MIN_POSITION = 'X-Min-Position';

// While a read model is rebuilt, it shows nothing newer. What it shows is better than nothing.
api.use({
  async onResponse({ request, response }) {
    if (response.status !== 503 || !request.headers.has(MIN_POSITION)) return;
    const body = (await response
      .clone()
      .json()
      .catch(() => undefined)) as ErrorBody | undefined;
    if (body?.code !== 'projection_rebuilding') return;
    const headers = new Headers(request.headers);
    headers.delete(MIN_POSITION);
    return await fetch(new Request(request, { headers }));
  },
});

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
