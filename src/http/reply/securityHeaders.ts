import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

type Directives = Readonly<Record<string, readonly string[]>>;

/** Nothing may be loaded, framed or sent from a response, unless a page asks for more. */
const CLOSED: Directives = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** The value of `Content-Security-Policy` for a page that needs these sources; all others stay forbidden. */
export function contentPolicy(directives: Directives): string {
  return headersOf({ useDefaults: false, directives: { ...CLOSED, ...directives } })['Content-Security-Policy']!;
}

/**
 * Helmet's headers, computed once: they are the same for every response and are written together with its head.
 * `production` adds HSTS for this host. Browsers ignore it over plain HTTP.
 */
export function securityHeaders({ production }: { readonly production: boolean }): Readonly<Record<string, string>> {
  return headersOf({ useDefaults: false, directives: CLOSED }, production);
}

function headersOf(
  contentSecurityPolicy: { useDefaults: false; directives: Directives },
  production = false,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void (headers[name] = value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  helmet({
    contentSecurityPolicy: contentSecurityPolicy as Exclude<
      Parameters<typeof helmet>[0],
      undefined
    >['contentSecurityPolicy'],
    // Other names below the same domain are not ours to decide about.
    strictTransportSecurity: production && { maxAge: 365 * 24 * 60 * 60, includeSubDomains: false },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // These do nothing for JSON, or only in browsers that no longer exist, and every response would carry them.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as IncomingMessage, response, (error?: unknown) => {
    if (error !== undefined) throw error as Error;
  });
  return headers;
}
