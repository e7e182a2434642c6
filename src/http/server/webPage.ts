import { existsSync } from 'node:fs';
import { Router, type RequestHandler } from 'express';
import sirv from 'sirv';
import { DomainError } from '../../core/errors.ts';
import { pageHeaders } from '../reply/securityHeaders.ts';

/** Where the page shows something. `web/src/router.tsx` has the same list. */
const ADDRESSES = [
  '/',
  '/v/:id',
  '/u/:username',
  '/sign-in',
  '/sign-up',
  '/account',
  '/studio{/*rest}',
  '/operator{/*rest}',
];

export interface WebPageOptions {
  /** Absolute: what `npm run build` made. */
  readonly folder: string;
  /** Where videos and pictures come from, besides this server, such as `https://media.example.org`. */
  readonly mediaOrigins: readonly string[];
}

/**
 * Serves the page for its addresses, and its files, from memory of their names: `npm run build` has compressed each of them.
 * Files under `/assets` are named by their content, so browsers keep them for ever. Without a build, `/` says how to make it.
 */
export function webPage({ folder, mediaOrigins }: WebPageOptions): RequestHandler {
  const router = Router();
  if (!existsSync(`${folder}/index.html`)) {
    router.get('/', (_request, response) => {
      response.json({
        success: true,
        message: 'ReelStream is running. See /docs. The web page is not built: npm run build.',
      });
    });
    return router;
  }
  const headers = headersOf(mediaOrigins);
  const files = sirv(folder, {
    brotli: true,
    gzip: true,
    etag: true,
    setHeaders: (response, path) => {
      const forEver = path.startsWith('/assets/');
      response.setHeader('Cache-Control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache');
      response.setHeader('Vary', 'Accept-Encoding, Origin');
    },
  });
  router.all(ADDRESSES, (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next(methodNotAllowed(request.method));
    // A 304 needs them too: browsers replace the headers that they have kept by those of the 304.
    response.setHeader('Cache-Control', 'no-cache');
    response.set(headers);
    request.url = '/';
    files(request, response, next);
  });
  router.get(['/favicon.svg', '/assets/*file'], files);
  return router;
}

function headersOf(mediaOrigins: readonly string[]): Readonly<Record<string, string>> {
  return pageHeaders({
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'font-src': ["'self'"],
    'img-src': ["'self'", 'blob:', ...mediaOrigins],
    'media-src': ["'self'", 'blob:', ...mediaOrigins],
    'connect-src': ["'self'", ...mediaOrigins],
    'manifest-src': ["'self'"],
  });
}

function methodNotAllowed(method: string): DomainError {
  return new DomainError(
    'methodNotAllowed',
    'method_not_allowed',
    `A page cannot be asked for with ${method}, only with GET.`,
  );
}
