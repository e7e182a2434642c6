import type { Stats } from 'node:fs';
import type { RequestHandler } from 'express';
import send from 'send';
import { DomainError } from '../core/errors.ts';
import { contentPolicy } from '../http/reply/securityHeaders.ts';
import { contentTypeOf } from './contentType.ts';
import { etagOf } from './folderObjectStore.ts';
import { isKey, PUBLIC_PREFIX } from './keys.ts';
import type { SignedPaths } from './signedPaths.ts';
import { properRange } from './range.ts';

/** A browser that opens a file directly shows it in a page, which loads the file again and has inline styles. No script may run there. */
const POLICY = contentPolicy({
  'media-src': ["'self'"],
  'img-src': ["'self'"],
  'style-src': ["'unsafe-inline'"],
  sandbox: [],
});

/**
 * Serves the objects of a folder store, with ranges and conditional requests: public ones, which clients may cache for ever, and
 * private ones by their signed paths, which clients may cache until they end. Mount it at the path of `publicUrl`. Any other object
 * is passed to `next` as a 404.
 */
export function createMediaHandler({
  root,
  signed,
}: {
  readonly root: string;
  readonly signed: Pick<SignedPaths, 'open'>;
}): RequestHandler {
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const path = request.path.slice(1);
    const opened = isKey(path) && path.startsWith(PUBLIC_PREFIX) ? { key: path } : openSigned(signed, path);
    if (opened instanceof DomainError) return next(opened);
    const { key } = opened;

    send(request, `/${key}`, { root, index: false, dotfiles: 'deny', maxAge: '1y', immutable: true })
      .on('file', (_path: string, { size }: Stats) => {
        const { range } = request.headers;
        if (range !== undefined) request.headers.range = properRange(range, size);
      })
      .on('headers', () => {
        if ('secondsLeft' in opened) response.setHeader('Cache-Control', untilItEnds(opened));
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

interface SignedObject {
  readonly key: string;
  readonly secondsLeft: number;
}

/** The private object of a path, or the error that its reader gets. */
export function openSigned(signed: Pick<SignedPaths, 'open'>, path: string): SignedObject | DomainError {
  const opened = signed.open(path);
  if (opened.status === 'signed') return opened;
  if (opened.status === 'unsigned') return notFound();
  return new DomainError('forbidden', 'url_ended', 'This URL has ended. Read the video again for a new one.');
}

/** For the browser that asked, and for no cache that others share. */
export function untilItEnds({ secondsLeft }: Pick<SignedObject, 'secondsLeft'>): string {
  return `private, max-age=${secondsLeft}, immutable`;
}

export function notFound(): DomainError {
  return new DomainError('notFound', 'media_not_found', 'There is no such file.');
}
