import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { ensureRoom, type FreeSpace } from '../scratch/diskSpace.ts';
import { aborted, badForm, stalled, tooLarge } from './refusals.ts';
import { writeFile, type ReceivedFile, type WriteFileOptions } from './writeFile.ts';
import type { UploadLimits } from '../limits.ts';
import { startActiveTimeout, type ActiveTimeout } from '../ffmpeg/activeTimeout.ts';

export interface ReceivedForm {
  readonly file: ReceivedFile;
  readonly data: string | undefined;
}

export interface ReceiveFormOptions {
  readonly freeSpace?: FreeSpace | undefined;
  readonly signal?: AbortSignal;
  readonly onReceived?: (fraction: number) => void;
  /** Milliseconds without a byte after which the upload is refused; 30 000 by default. */
  readonly longestPause?: number | undefined;
}

/** Bytes that a request may have besides its file: boundaries, part headers and `data`. */
const FORM_OVERHEAD = 256 * 1024;

const LONGEST_PAUSE_MS = 30_000;

/** Streams the form's one file into `folder`; see `receiveUpload`. After a refusal the caller drains the rest of the request. */
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
      // One file more than allowed: busboy drops what is beyond its limit, and the refusal names the second file.
      limits: { files: 2, fields: 20, fieldSize: limits.maxDataBytes, fieldNameSize: 200, headerPairs: 50 },
    });
  } catch (cause) {
    throw badForm(
      'The multipart form has no usable boundary; let your HTTP client set the Content-Type header.',
      cause,
    );
  }
}

interface Target extends WriteFileOptions {
  readonly signal: AbortSignal | undefined;
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
    // `writeFile` counts only the file. The other parts, and the bytes between them, need a limit as well.
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

  function watchPause(): ActiveTimeout {
    return startActiveTimeout(target.longestPause, () => {
      // Everything has arrived, or this process has stopped reading for a while.
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
