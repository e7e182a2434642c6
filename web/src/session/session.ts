import { remember, remembered } from '../storage.ts';
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

/** An access token, and when it is renewed (milliseconds since 1970, by the clock of this machine). */
interface Token {
  readonly text: string;
  readonly renewAt: number;
}

type Message = { readonly token: string } | { readonly left: 'anonymous' | 'ended' };

/** Remembered while somebody is signed in, in any tab. The refresh token itself is in a cookie that scripts cannot read. */
const SIGNED_IN = 'signedIn';
/** Seconds before its end at which a token is renewed: a quarter of its life, at most this. */
const MARGIN = 30;

let session: Session = { status: remembered(SIGNED_IN) === null ? 'anonymous' : 'restoring' };
let token: Token | undefined;
let renewing: Promise<string | undefined> | undefined;
const listeners = new Set<() => void>();
const tabs = new BroadcastChannel('reelstream.session');

tabs.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  if ('token' in data) adopt(data.token);
  else leave(data.left);
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
  const valid = validToken();
  if (valid !== undefined) return valid;
  renewing ??= renew().finally(() => (renewing = undefined));
  return renewing;
}

/** The server refused this token: it is not used again. */
export function forgetAccessToken(refused: string | undefined): void {
  if (refused === token?.text) token = undefined;
}

/** After a login. Other tabs are signed in as well. */
export function signedIn(accessToken: string): void {
  adopt(accessToken);
  tell({ token: accessToken });
}

/** After a logout. Other tabs are signed out as well. */
export function signedOut(): void {
  leave('anonymous');
  tell({ left: 'anonymous' });
}

/** The reader has seen that the session ended. */
export function acceptEnd(): void {
  if (session.status === 'ended') leave('anonymous');
}

async function renew(): Promise<string | undefined> {
  // The cookie changes with each renewal, and all tabs share it.
  return oneTabAtATime(async () => {
    const fromAnotherTab = validToken();
    if (fromAnotherTab !== undefined) return fromAnotherTab;
    const before = session;
    const renewed = await refresh();
    // Meanwhile somebody has signed out, or in with another account.
    if (session !== before) return validToken();
    if (renewed !== undefined) {
      signedIn(renewed);
      return renewed;
    }
    leave('ended');
    tell({ left: 'ended' });
    return undefined;
  });
}

/** Browsers give locks only to pages from https and from this machine. Without them, `refresh` tries again when it was second. */
function oneTabAtATime<Result>(act: () => Promise<Result>): Promise<Result> {
  return 'locks' in navigator ? navigator.locks.request('reelstream.refresh', act) : act();
}

function validToken(): string | undefined {
  return token !== undefined && Date.now() < token.renewAt ? token.text : undefined;
}

function adopt(accessToken: string): void {
  const user = claimsOf(accessToken);
  // Counted from now: the clock of the server may be another one.
  const life = user.exp - user.iat;
  token = { text: accessToken, renewAt: Date.now() + (life - Math.min(MARGIN, life / 4)) * 1_000 };
  remember(SIGNED_IN, 'yes');
  if (session.status !== 'signedIn' || !isSame(session.user, user)) change({ status: 'signedIn', user });
}

/** Whether two tokens say the same about their user. */
function isSame(before: Claims, after: Claims): boolean {
  return (['id', 'name', 'username', 'email', 'role'] as const).every((claim) => before[claim] === after[claim]);
}

function leave(status: 'anonymous' | 'ended'): void {
  token = undefined;
  remember(SIGNED_IN, null);
  // A tab in which nobody was signed in has no session that could end.
  if (session.status === 'anonymous' || session.status === status) return;
  change({ status });
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function tell(message: Message): void {
  tabs.postMessage(message);
}

// Somebody was signed in when the page was left: ask at once, so that the page soon knows who it is.
if (session.status === 'restoring') accessToken().catch(() => undefined);
