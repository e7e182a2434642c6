import type { IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { Server, type ServerOptions } from '@tus/server';
import { DomainError } from '../../../core/errors.ts';
import type { RouteRequest } from '../../../http/route.ts';
import { uploadLimits } from '../../../media/limits.ts';
import { tooLarge } from '../../../media/receiving/refusals.ts';
import { explainFault } from '../../../media/receiving/upload.ts';
import { createUploadLocker } from './uploadLocker.ts';
import { uploadExpired, UPLOADS_PATH } from './tusProtocol.ts';
import { UploadStore, type UploadStoreOptions } from './uploadStore.ts';
import { uploadLocked } from './uploads.ts';

export interface TusExchangeOptions extends UploadStoreOptions, Pick<ServerOptions, 'onUploadCreate'> {
  /** The id of an upload that this request creates. */
  readonly newId: string;
}

export interface TusTarget {
  readonly method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  /** Of the upload; none for a new one. */
  readonly id?: string;
}

export interface TusAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that `@tus/server` reads. Those of proxies are ours to read. */
const READ = /^(?:tus-resumable|upload-.+|content-type|content-length)$/;

/** Those of its headers that our answer carries. CORS and the headers of each response are the engine's. */
const PASSED_ON = ['Location', 'Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Upload-Expires'];

/**
 * Lets `@tus/server` handle one request, with a store and locks that belong to this request.
 * @throws DomainError for whatever it refuses
 */
export async function exchangeTus(
  { raw, signal }: Pick<RouteRequest<unknown, unknown, unknown>, 'raw' | 'signal'>,
  { method, id }: TusTarget,
  { newId, onUploadCreate, ...options }: TusExchangeOptions,
): Promise<TusAnswer> {
  let failure: unknown;
  const server = new Server({
    path: UPLOADS_PATH,
    relativeLocation: true,
    maxSize: uploadLimits.maxBytes,
    datastore: new UploadStore(options),
    locker: createUploadLocker(options.uploads, options.holder),
    // Milliseconds between the wish of another request for the lock and the end of this one.
    lockDrainTimeout: 100,
    namingFunction: () => newId,
    ...(onUploadCreate !== undefined && { onUploadCreate }),
    onResponseError: (_request, error) => {
      failure = error;
      return undefined;
    },
  });
  const body = bodyOf(raw, method, signal);
  try {
    const asked = new Request(`http://localhost${UPLOADS_PATH}${id === undefined ? '' : `/${id}`}`, {
      method,
      headers: headersOf(raw),
      ...(body !== undefined && { body: Readable.toWeb(body) as ReadableStream<Uint8Array>, duplex: 'half' as const }),
    });
    const answer = await server.handleWeb(asked);
    if (failure instanceof Error && !('status_code' in failure)) throw failure;
    if (answer.status >= 400) throw refusal(answer.status, await answer.text(), failure);
    return { status: answer.status, headers: passedOn(answer) };
  } catch (error) {
    throw explainFault(error);
  } finally {
    if (body !== undefined) {
      raw.unpipe(body);
      body.destroy();
    }
  }
}

/**
 * A stream of its own: whatever becomes of it, the request stays open for our answer. When the client disconnects or the
 * server drains, it ends with what has arrived, which is kept.
 */
function bodyOf(raw: IncomingMessage, method: string, signal: AbortSignal): PassThrough | undefined {
  if (method !== 'POST' && method !== 'PATCH') return undefined;
  const body = new PassThrough();
  body.on('error', () => undefined);
  const end = (): void => {
    raw.unpipe(body);
    body.end();
  };
  signal.addEventListener('abort', end, { once: true });
  raw.pipe(body);
  if (signal.aborted) end();
  return body;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (READ.test(name) ? [[name, String(value)]] : [])),
  );
}

function passedOn({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** What `@tus/server` refuses, as an error of ours. */
function refusal(status: number, text: string, cause: unknown): DomainError {
  const details = { cause };
  switch (status) {
    case 409:
      return new DomainError(
        'conflict',
        'upload_offset_conflict',
        'Upload-Offset is not where the upload ends. Ask for its offset with HEAD, and go on from there.',
        details,
      );
    case 410:
      return uploadExpired();
    case 413:
      return tooLarge(uploadLimits);
    case 404:
    case 500:
      throw new Error(`@tus/server failed: ${text}`, { cause });
    default:
      if (text.startsWith('Request aborted')) return uploadLocked(cause);
      return new DomainError('invalid', 'invalid_tus_request', sentence(text), details);
  }
}

function sentence(text: string): string {
  const line = text.trim();
  return line.endsWith('.') ? line : `${line}.`;
}
