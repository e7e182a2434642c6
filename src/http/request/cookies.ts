import { parseCookie, stringifySetCookie } from 'cookie';
import type { IncomingMessage } from 'node:http';

/** Browsers send the cookies of sessions to addresses below this one. */
const PATH = '/api/v1/auth';
/**
 * The path of the cookies of earlier versions. A browser may still have such a cookie beside a new one of the same
 * name.
 */
const OLD_PATH = '/';

/** The cookie's value. If there are two, the one with the longer path: browsers send it first (RFC 6265, 5.4). */
export function readCookie(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  return valuesOf(request, name)[0];
}

function valuesOf({ headers: { cookie } }: Pick<IncomingMessage, 'headers'>, name: string): string[] {
  return (cookie ?? '').split(';').flatMap((pair) => parseCookie(pair)[name] ?? []);
}

export interface SecretCookies {
  /** Values of `Set-Cookie` that set the cookie. `maxAge` is in seconds. */
  set(request: Pick<IncomingMessage, 'headers'>, value: string, maxAge: number): string | string[];
  /** Values of `Set-Cookie` that delete the cookie. */
  clear(): string[];
}

/** A cookie that scripts cannot read and other sites' forms do not send. It is sent to `/api/v1/auth` only. */
export function secretCookies(name: string, { secure }: { readonly secure: boolean }): SecretCookies {
  const cookie = (value: string, path: string, maxAge: number): string =>
    stringifySetCookie(name, value, { httpOnly: true, sameSite: 'lax', path, secure, maxAge });
  return {
    // The old cookie is deleted only when both arrive. A client that ignores paths has one cookie and must not lose it.
    set: (request, value, maxAge) => {
      const made = cookie(value, PATH, maxAge);
      return valuesOf(request, name).length > 1 ? [cookie('', OLD_PATH, 0), made] : made;
    },
    clear: () => [cookie('', OLD_PATH, 0), cookie('', PATH, 0)],
  };
}
