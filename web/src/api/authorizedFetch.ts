import { accessToken, forgetAccessToken } from '../session/session.ts';
import type { ErrorBody } from './apiError.ts';

const REFUSALS: ReadonlySet<string> = new Set(['token_expired', 'token_invalid', 'session_revoked']);

/** Sends a request with the token of who is signed in. If the server no longer accepts the token, it asks once more with a new one. */
export async function authorizedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const token = await accessToken();
  const response = await send(request, token);
  if (token === undefined || !(await refusesToken(response))) return response;
  forgetAccessToken(token);
  const renewed = await accessToken();
  return renewed === undefined ? response : send(again, renewed);
}

function send(request: Request, token: string | undefined): Promise<Response> {
  if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
  return fetch(request);
}

/** A wrong password is answered with 401 as well. */
async function refusesToken(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as ErrorBody | undefined;
  return body?.code !== undefined && REFUSALS.has(body.code);
}
