import { claimsOf, type Claims } from './claims.ts';
import { refresh } from './refresh.ts';

/** Who uses this page. */
export type Session =
  /** Not known yet: the page has just been opened by somebody who signed in before. */
  | { readonly status: 'restoring' }
  | { readonly status: 'anonymous' }
  /** The session was revoked, or lasted as long as it may. */
  | { readonly status: 'ended' }
  | { readonly status: 'signedIn'; readonly user: Claims };

/** Set while somebody is signed in, in any tab. The refresh token itself is in a cookie that scripts cannot read. */
const SIGNED_IN = 'reelstream.signedIn';
/** Milliseconds before its expiry at which an access token is renewed. */
const MARGIN = 30_000;

let session: Session = localStorage.getItem(SIGNED_IN) === null ? { status: 'anonymous' } : { status: 'restoring' };
let token: string | undefined;
let renewing: Promise<string | undefined> | undefined;
const listeners = new Set<() => void>();
const tabs = new BroadcastChannel('reelstream.session');

tabs.addEventListener('message', ({ data }: MessageEvent<{ token?: string; signedOut?: true }>) => {
  if (data.token !== undefined) adopt(data.token);
  else if (data.signedOut) leave('anonymous');
});

export function currentSession(): Session {
  return session;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A valid access token; undefined when nobody is signed in. Near its end it is renewed, once for all callers and tabs.
 * @throws ApiError when the server cannot be reached.
 */
export async function accessToken(): Promise<string | undefined> {
  if (session.status === 'anonymous' || session.status === 'ended') return undefined;
  if (token !== undefined && expiryOf(token) - Date.now() > MARGIN) return token;
  renewing ??= renew().finally(() => (renewing = undefined));
  return renewing;
}

/** The server refused this token: it is not used again. */
export function forgetAccessToken(refused: string | undefined): void {
  if (refused === token) token = undefined;
}

/** After a login. Other tabs are signed in as well. */
export function signedIn(accessToken: string): void {
  adopt(accessToken);
  tabs.postMessage({ token: accessToken });
}

/** After a logout. Other tabs are signed out as well. */
export function signedOut(): void {
  leave('anonymous');
  tabs.postMessage({ signedOut: true });
}

async function renew(): Promise<string | undefined> {
  // The cookie changes with each renewal, and all tabs share it.
  return navigator.locks.request('reelstream.refresh', async () => {
    if (token !== undefined && expiryOf(token) - Date.now() > MARGIN) return token;
    const renewed = await refresh();
    if (renewed === undefined) {
      leave('ended');
      return undefined;
    }
    signedIn(renewed);
    return renewed;
  });
}

function adopt(accessToken: string): void {
  token = accessToken;
  localStorage.setItem(SIGNED_IN, 'yes');
  const user = claimsOf(accessToken);
  if (session.status === 'signedIn' && JSON.stringify(session.user) === JSON.stringify(user)) return;
  change({ status: 'signedIn', user });
}

function leave(status: 'anonymous' | 'ended'): void {
  token = undefined;
  localStorage.removeItem(SIGNED_IN);
  if (session.status !== status) change({ status });
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function expiryOf(accessToken: string): number {
  return claimsOf(accessToken).exp * 1_000;
}

// Somebody was signed in when the page was left: ask at once, so that the page soon knows who it is.
if (session.status === 'restoring') accessToken().catch(() => undefined);
