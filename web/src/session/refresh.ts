import { ApiError, type ErrorBody } from '../api/apiError.ts';

/** How often a renewal that another client did first is tried again: its cookie arrives within moments. */
const TRIES = 5;

/**
 * A new access token for the cookie of this browser; undefined when the session has ended.
 * @throws ApiError when the server cannot be reached or cannot answer.
 */
export async function refresh(): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    let response: Response;
    try {
      // The cookie can be used once. `keepalive`: also a page that is left meanwhile gets the next one.
      response = await fetch('/api/v1/auth/refresh-token', { method: 'POST', keepalive: true });
    } catch (error) {
      throw ApiError.unreachable(error);
    }
    const body = (await response.json().catch(() => undefined)) as
      (ErrorBody & { data?: { accessToken: string } }) | undefined;
    if (response.ok && body?.data !== undefined) return body.data.accessToken;
    if (response.status === 401 || body?.code === 'account_suspended') return undefined;
    if (response.status !== 409 || attempt === TRIES) throw ApiError.of(response, body);
    await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
  }
}
