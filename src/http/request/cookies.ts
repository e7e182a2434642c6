import { parseCookie, stringifySetCookie } from 'cookie';
import type { IncomingMessage } from 'node:http';

/** Where the cookies of sessions are sent to. */
const PATH = '/api/v1/auth';
/** Where earlier versions had them sent. A browser may still have such a cookie beside a new one of the same name. */
const OLD_PATH = '/';

/** The cookie's value. Of two of that name, the one with the longer path, which browsers send first (RFC 6265, 5.4). */
export function readCookie(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  return valuesOf(request, name)[0];
}

function valuesOf({ headers: { cookie } }: Pick<IncomingMessage, 'headers'>, name: string): string[] {
  return (cookie ?? '').split(';').flatMap((pair) => parseCookie(pair)[name] ?? []);
}

export interface SecretCookies {
  /** The value of `Set-Cookie` that makes the cookie, for so many seconds. */
  set(request: Pick<IncomingMessage, 'headers'>, value: string, maxAge: number): string | string[];
  /** The same to delete it. */
  clear(): string[];
}

/** A cookie that scripts cannot read, that other sites' forms do not send, and that is sent to `/api/v1/auth` only. */
export function secretCookies(name: string, { secure }: { readonly secure: boolean }): SecretCookies {
  const cookie = (value: string, path: string, maxAge: number): string =>
    stringifySetCookie(name, value, { httpOnly: true, sameSite: 'lax', path, secure, maxAge });
  return {
    // The old cookie is deleted once both are sent, so that a client that minds no paths never sees its only cookie deleted.
    set: (request, value, maxAge) => {
      const made = cookie(value, PATH, maxAge);
      return valuesOf(request, name).length > 1 ? [cookie('', OLD_PATH, 0), made] : made;
    },
    clear: () => [cookie('', OLD_PATH, 0), cookie('', PATH, 0)],
  };
}
