import type { Stats } from 'node:fs';
import type { RequestHandler } from 'express';
import send from 'send';
import { DomainError } from '../core/errors.ts';
import { contentPolicy } from '../http/reply/securityHeaders.ts';
import { contentTypeOf } from './contentType.ts';
import { etagOf } from './folderObjectStore.ts';
import { isKey, PUBLIC_PREFIX } from './keys.ts';
import { properRange } from './range.ts';

/** A browser that opens a file directly shows it in a page, which loads the file again and has inline styles. No script may run there. */
const POLICY = contentPolicy({
  'media-src': ["'self'"],
  'img-src': ["'self'"],
  'style-src': ["'unsafe-inline'"],
  sandbox: [],
});

/**
 * Serves the public objects of a folder store, with ranges and conditional requests. Clients may cache an object for ever. Mount it at
 * the path of `publicUrl`. A missing or private object is passed to `next` as a 404.
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
        // For players on other origins, and for pages that are cross-origin isolated.
        response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      })
      .on('directory', () => next(notFound()))
      .on('error', (error: { readonly status?: number }) => {
        if (response.headersSent) return void response.destroy();
        // `send` has already set Content-Range, as RFC 9110 demands.
        if (error.status === 416) return void response.status(416).end();
        next(error.status === 404 || error.status === 403 ? notFound() : error);
      })
      .pipe(response);
  };
}

function notFound(): DomainError {
  return new DomainError('notFound', 'media_not_found', 'There is no such file.');
}
