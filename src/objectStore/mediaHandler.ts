import type { Stats } from 'node:fs';
import type { RequestHandler } from 'express';
import send from 'send';
import { DomainError } from '../core/errors.ts';
import { contentPolicy } from '../http/reply/securityHeaders.ts';
import { contentTypeOf } from './contentType.ts';
import { etagOf } from './folderObjectStore.ts';
import { isKey, PUBLIC_PREFIX } from './keys.ts';
import { properRange } from './range.ts';

/** A browser that is sent to a file shows it in a page of its own, which loads the file again and has inline styles. Nothing runs there. */
const POLICY = contentPolicy({
  'media-src': ["'self'"],
  'img-src': ["'self'"],
  'style-src': ["'unsafe-inline'"],
  sandbox: [],
});

/**
 * Serves the public objects of a folder store, to be mounted at the path of its `publicUrl`: ranges, conditional
 * requests, and caching for ever (a key names its content). What is not there, or not public, is a 404 for `next`.
 */
export function createMediaHandler({ root }: { root: string }): RequestHandler {
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const key = request.path.slice(1);
    if (!isKey(key) || !key.startsWith(PUBLIC_PREFIX)) return next(notFound());

    send(request, request.path, { root, index: false, dotfiles: 'deny', maxAge: '1y', immutable: true })
      .on('file', (_path: string, { size }: Stats) => {
        const { range } = request.headers;
        if (range !== undefined) request.headers.range = properRange(range, size);
      })
      .on('headers', () => {
        response.setHeader('ETag', etagOf(key));
        response.setHeader('Content-Type', contentTypeOf(key));
        response.setHeader('X-Content-Type-Options', 'nosniff');
        response.setHeader('Content-Security-Policy', POLICY);
        // Players on other origins, and pages that isolate themselves.
        response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      })
      .on('directory', () => next(notFound()))
      .on('error', (error: { readonly status?: number }) => {
        if (response.headersSent) return void response.destroy();
        // `send` has set Content-Range by then, as RFC 9110 wants it.
        if (error.status === 416) return void response.status(416).end();
        next(error.status === 404 || error.status === 403 ? notFound() : error);
      })
      .pipe(response);
  };
}

function notFound(): DomainError {
  return new DomainError('notFound', 'media_not_found', 'There is no such file.');
}
