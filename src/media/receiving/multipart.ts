import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { DomainError } from '../../core/errors.ts';
import { ensureRoom, type FreeSpace } from './diskSpace.ts';
import type { UploadLimits } from './limits.ts';
import { startPatience, type Patience } from '../ffmpeg/patience.ts';

export interface ReceivedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

export interface ReceivedForm {
  readonly file: ReceivedFile;
  readonly data: string | undefined;
}

export interface ReceiveFormOptions {
  readonly freeSpace?: FreeSpace | undefined;
  readonly signal?: AbortSignal;
  readonly onReceived?: (fraction: number) => void;
  /** Milliseconds without a byte until the upload counts as given up; 30 000 by default. */
  readonly longestPause?: number | undefined;
}

/** Boundaries, part headers and `data` come on top of the file. */
const FORM_OVERHEAD = 256 * 1024;

const LONGEST_PAUSE_MS = 30_000;
/** Bytes between two looks at the disk: others fill it as well. */
const LOOK_EVERY = 8 * 1024 * 1024;

/** Streams the form's one file into `folder`; see `receiveUpload`. On a refusal the rest of the request waits to be drained. */
export async function receiveForm(
  request: IncomingMessage,
  folder: string,
  limits: UploadLimits,
  { signal, onReceived, freeSpace, longestPause = LONGEST_PAUSE_MS }: ReceiveFormOptions = {},
): Promise<ReceivedForm> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limits.maxBytes + FORM_OVERHEAD) throw tooLarge(limits);
  const form = openForm(request, limits);
  await ensureRoom(folder, Number.isNaN(announced) ? limits.maxBytes : announced, freeSpace);
  return await readForm(request, form, { folder, limits, announced, signal, onReceived, freeSpace, longestPause });
}

function openForm(request: IncomingMessage, limits: UploadLimits): busboy.Busboy {
  if (!(request.headers['content-type'] ?? '').toLowerCase().startsWith('multipart/form-data')) {
    throw badForm('Send the video as multipart/form-data, with the file in the field "video" and its title in "data".');
  }
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      // One more than allowed, so that the one too many is seen and named instead of being dropped.
      limits: { files: 2, fields: 20, fieldSize: limits.maxDataBytes, fieldNameSize: 200, headerPairs: 50 },
    });
  } catch (cause) {
    throw badForm(
      'The multipart form has no usable boundary; let your HTTP client set the Content-Type header.',
      cause,
    );
  }
}

interface Target {
  readonly folder: string;
  readonly limits: UploadLimits;
  readonly announced: number;
  readonly signal: AbortSignal | undefined;
  readonly onReceived: ((fraction: number) => void) | undefined;
  readonly freeSpace: FreeSpace | undefined;
  readonly longestPause: number;
}

function readForm(request: IncomingMessage, form: busboy.Busboy, target: Target): Promise<ReceivedForm> {
  const { promise, resolve, reject } = Promise.withResolvers<ReceivedForm>();
  let data: string | undefined;
  let writing: Promise<ReceivedFile> | undefined;
  let failed = false;

  form.on('file', (name, stream) => {
    const problem =
      name !== 'video'
        ? `The file came in the field "${name}"; send it in the field "video".`
        : writing && 'Send one file only.';
    if (problem) return refuse(stream, badForm(problem));
    writing = writeFile(stream, target);
    writing.catch(fail);
  });
  form.on('field', (name, value, { valueTruncated }) => {
    if (name !== 'data') return;
    if (valueTruncated)
      fail(badForm(`The field "data" is longer than ${target.limits.maxDataBytes} bytes.`, undefined, 'data'));
    else if (data !== undefined) fail(badForm('Send the field "data" once only.', undefined, 'data'));
    else data = value;
  });
  form.on('fieldsLimit', () => fail(badForm('The form has too many fields.')));
  form.on('error', (cause) => fail(badForm('The multipart form is broken or ends too early.', cause)));
  form.on('close', () => {
    if (failed) return;
    if (writing === undefined)
      return fail(badForm('The form has no file; send the video in the field "video".', undefined, 'video'));
    writing.then((file) => {
      if (file.size === 0) fail(badForm('The file in the field "video" is empty.', undefined, 'video'));
      else resolve({ file, data });
    }, fail);
  });

  let arrived = 0;
  let pause = watchPause();
  const onData = (chunk: Buffer): void => {
    pause.renew();
    arrived += chunk.length;
    // Of the form only the file is metered by its reader; texts, and what lies before and after the parts, have no end of their own.
    if (arrived > target.limits.maxBytes + FORM_OVERHEAD) fail(tooLarge(target.limits));
  };
  const onClose = (): void => {
    if (!request.readableEnded) fail(aborted());
  };
  const onAbort = (): void => fail(target.signal?.reason);
  request.once('close', onClose);
  request.on('data', onData);
  target.signal?.addEventListener('abort', onAbort, { once: true });
  if (target.signal?.aborted) onAbort();
  if (request.closed) onClose();
  request.pipe(form);
  return promise.finally(() => {
    pause.end();
    request.off('close', onClose);
    request.off('data', onData);
    target.signal?.removeEventListener('abort', onAbort);
  });

  function watchPause(): Patience {
    return startPatience(target.longestPause, () => {
      // All is here, or it is we who are not taking it.
      if (request.readableEnded || request.isPaused()) pause = watchPause();
      else fail(stalled(target.longestPause));
    });
  }

  function refuse(stream: Readable, error: Error): void {
    stream.on('error', () => undefined).resume();
    fail(error);
  }

  function fail(cause: unknown): void {
    failed = true;
    request.unpipe(form);
    form.destroy();
    // The file is closed before the caller removes its folder.
    void Promise.allSettled([writing]).then(() => reject(cause));
  }
}

async function writeFile(stream: Readable, target: Target): Promise<ReceivedFile> {
  const path = join(target.folder, 'original.mp4');
  const meter = createMeter(target);
  await pipeline(stream, meter.through, createWriteStream(path, { mode: 0o600 }));
  return { path, size: meter.size(), sha256: meter.hash.digest('hex') };
}

function createMeter({ folder, limits, announced, onReceived, freeSpace }: Target): {
  through: Transform;
  hash: Hash;
  size: () => number;
} {
  const hash = createHash('sha256');
  let size = 0;
  let told = 0;
  let nextLook = LOOK_EVERY;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limits.maxBytes) return done(tooLarge(limits));
      hash.update(chunk);
      const percent = Math.min(100, Math.floor((size / announced) * 100));
      if (percent > told) onReceived?.((told = percent) / 100);
      if (size < nextLook) return done(null, chunk);
      nextLook += LOOK_EVERY;
      ensureRoom(folder, 0, freeSpace).then(() => done(null, chunk), done);
    },
  });
  return { through, hash, size: () => size };
}

function tooLarge(limits: UploadLimits): DomainError {
  return new DomainError(
    'tooLarge',
    'file_too_large',
    `The video is larger than ${Math.floor(limits.maxBytes / 1024 / 1024)} MB.`,
  );
}

/** `retryAfter` keeps it from being stored as the answer of an `Idempotency-Key`: the same request may succeed next time. */
function stalled(milliseconds: number): DomainError {
  return new DomainError(
    'invalid',
    'upload_stalled',
    `The upload stopped in the middle: nothing came for ${milliseconds / 1_000} s. Send it again.`,
    { retryAfter: 1 },
  );
}

/** Nobody is left to read it. `retryAfter` as above. */
function aborted(): DomainError {
  return new DomainError(
    'invalid',
    'upload_aborted',
    'The connection was closed before the whole video had arrived. Send it again.',
    { retryAfter: 1 },
  );
}

function badForm(message: string, cause?: unknown, path = 'video'): DomainError {
  return new DomainError('invalid', 'invalid_upload', message, { fields: [{ path, message }], cause });
}
