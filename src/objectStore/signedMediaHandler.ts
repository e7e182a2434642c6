import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler, Response } from 'express';
import { DomainError } from '../core/errors.ts';
import { contentTypeOf } from './contentType.ts';
import { notFound, openSigned, untilItEnds } from './mediaHandler.ts';
import type { MinioObjectStore } from './minioObjectStore.ts';
import { ObjectNotFound } from './objectStore.ts';
import type { SignedPaths } from './signedPaths.ts';

/** Seconds that a URL of the store works: long enough to play a clip, which browsers fetch in parts. */
const LONGEST = 600;

/** Files that name others relative to their own URL. A redirect would lead those to the store, without a signature. */
const NAME_OTHERS = new Set(['.m3u8', '.vtt']);

/**
 * Leads from the signed paths of private objects to a store that serves its own files: with a redirect to a URL that it accepts for a
 * few minutes. Playlists are sent as they are.
 */
export function createSignedMediaHandler({
  objects,
  signed,
}: {
  readonly objects: Pick<MinioObjectStore, 'presignedUrl' | 'read'>;
  readonly signed: Pick<SignedPaths, 'open'>;
}): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const opened = openSigned(signed, request.path.slice(1));
    if (opened instanceof DomainError) return next(opened);
    const { key, secondsLeft } = opened;
    try {
      if (NAME_OTHERS.has(extname(key))) return await sendFile(response, key, secondsLeft);
      const seconds = Math.min(LONGEST, secondsLeft);
      response.setHeader('Location', await objects.presignedUrl(key, seconds));
      // The store is asked by then, for the last time, while its URL still works.
      response.setHeader('Cache-Control', `private, max-age=${Math.floor(seconds / 2)}`);
      response.status(302).end();
    } catch (error) {
      next(error instanceof ObjectNotFound ? notFound() : error);
    }
  };

  async function sendFile(response: Response, key: string, secondsLeft: number): Promise<void> {
    const body = await objects.read(key);
    response.setHeader('Content-Type', contentTypeOf(key));
    response.setHeader('Cache-Control', untilItEnds({ secondsLeft }));
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    await pipeline(body, response).catch(() => response.destroy());
  }
}
