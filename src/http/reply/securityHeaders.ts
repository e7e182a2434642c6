import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

type Directives = Readonly<Record<string, readonly string[]>>;

/** The strictest policy. A page adds the sources that it needs. */
const CLOSED: Directives = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** The value of `Content-Security-Policy` for a page that needs these sources. All others stay forbidden. */
export function contentPolicy(directives: Directives): string {
  return headersOf({ useDefaults: false, directives: { ...CLOSED, ...directives } })['Content-Security-Policy']!;
}

/** What a page needs beside the headers of every response: its policy, and what has no effect on anything but pages. */
export function pageHeaders(directives: Directives): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': contentPolicy(directives),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  };
}

/**
 * Helmet's headers, computed once: they are the same for every response and are written together with its head. Node checks
 * each of them each time, so what has an effect only on pages is not among them.
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
    // Other hosts of the same domain may not support HTTPS.
    strictTransportSecurity: production && { maxAge: 365 * 24 * 60 * 60, includeSubDomains: false },
    crossOriginOpenerPolicy: false,
    referrerPolicy: false,
    xFrameOptions: { action: 'deny' },
    // These have no effect on JSON, or only in browsers that no longer exist.
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
