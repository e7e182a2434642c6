import { parseCookie, stringifySetCookie } from 'cookie';
import type { IncomingMessage } from 'node:http';

export function readCookie(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const header = request.headers.cookie;
  return header === undefined ? undefined : parseCookie(header)[name];
}

export interface CookieOptions {
  /** Only over TLS. */
  readonly secure: boolean;
  /** Seconds; 0 deletes the cookie. */
  readonly maxAge: number;
}

/** A `Set-Cookie` that scripts cannot read and other sites' forms do not send. */
export function secretCookie(name: string, value: string, { secure, maxAge }: CookieOptions): string {
  return stringifySetCookie(name, value, { httpOnly: true, sameSite: 'lax', path: '/', secure, maxAge });
}
