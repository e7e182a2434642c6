import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { DomainError } from '../../core/errors.ts';
import { drainThenClose } from './drain.ts';

/** Bytes. Commands are small; multipart routes read files themselves. */
const MOST_BYTES = 100 * 1024;

/** It works outside of Express too, and leaves the body in `body`. */
const parse = express.json({ limit: MOST_BYTES, strict: false, type: () => true }) as unknown as (
  request: IncomingMessage & { body?: unknown },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** The JSON body of a request; `{}` when it has none, so that the schema names the missing fields. */
export async function readJsonBody(
  request: IncomingMessage & { body?: unknown },
  response: ServerResponse,
): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return {};
  if (!isJson(type)) {
    throw new DomainError('unsupportedMedia', 'unsupported_media_type', 'Send the body as application/json.');
  }
  await new Promise<void>((resolve, reject) => {
    parse(request, response, (error?: unknown) => {
      if (error === undefined) return resolve();
      drainThenClose(request);
      reject(error as Error);
    });
  });
  return request.body;
}

function isJson(contentType: string | undefined): boolean {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return (
    mediaType === 'application/json' || (mediaType !== undefined && /^application\/[\w.-]+\+json$/.test(mediaType))
  );
}
