import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../core/errors.ts';
import { drainThenClose } from '../../http/request/drain.ts';
import { isDiskFull, type FreeSpace } from '../scratch/diskSpace.ts';
import { uploadLimits, type UploadLimits } from '../limits.ts';
import type { MediaFacts } from '../mediaFacts.ts';
import { receiveForm } from './multipart.ts';
import type { ReceivedFile } from './writeFile.ts';
import { ProbeFailed } from '../inspecting/probe.ts';
import type { Scratch } from '../scratch/scratch.ts';

export interface ReceiveUploadOptions {
  readonly scratch: Scratch;
  /** Says what is in the file, or throws the `DomainError` that tells its uploader why it is refused. */
  readonly inspect: (
    path: string,
    options: { readonly signal?: AbortSignal | undefined; readonly ownerId?: string; readonly sha256?: string },
  ) => Promise<{ readonly facts: MediaFacts }>;
  /** Who uploads. When many files wait to be inspected, their owners take turns. */
  readonly ownerId?: string;
  readonly limits?: UploadLimits;
  /** Ends the upload. */
  readonly signal?: AbortSignal;
  /** Is told how much has arrived, 0 to 1: at most once for each percent, and only when the client announced the size. */
  readonly onReceived?: (fraction: number) => void;
  /** Called when the file has arrived and its inspection begins. */
  readonly onChecking?: () => void;
  /** Asks the system by default. */
  readonly freeSpace?: FreeSpace;
  /** Milliseconds without a byte after which the upload is refused; 30 000 by default. */
  readonly longestPause?: number;
}

/** An upload that may be stored. Disposing it (`await using`) removes its temporary file. */
export interface ReceivedUpload extends AsyncDisposable {
  /** The text field `data`, as it was sent; undefined when there was none. */
  readonly data: string | undefined;
  readonly original: ReceivedFile;
  readonly facts: MediaFacts;
}

/**
 * Receives `multipart/form-data` with one file `video` and one text `data` as a stream, never in memory, and inspects the
 * file. After a refusal it drains the request for a moment, so that the client sees the answer, and leaves no file behind.
 *
 * @throws DomainError `invalid` (the form is wrong, or the upload stopped), `tooLarge` (as soon as the limit is passed),
 * `unsupportedMedia`, `unprocessable`, `unavailable` (the disk is full, or ffprobe failed by a fault of ours)
 */
export async function receiveUpload(request: IncomingMessage, options: ReceiveUploadOptions): Promise<ReceivedUpload> {
  const { scratch, inspect, signal, ownerId, limits = uploadLimits } = options;
  const folder = await scratch.make().catch((error: unknown) => {
    drainThenClose(request);
    throw explainFault(error);
  });
  try {
    const { file, data } = await receiveForm(request, folder.path, limits, options);
    options.onChecking?.();
    const { sha256 } = file;
    const { facts } = await inspect(file.path, { signal, sha256, ...(ownerId !== undefined && { ownerId }) });
    return { data, original: file, facts, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    // Last: a fast sender soon reaches the limit of the drain, which closes the connection. The answer must be sent before.
    drainThenClose(request);
    throw explainFault(error);
  }
}

/** What an uploader is told when a file could not be received or checked by a fault of ours; other errors as they are. */
export function explainFault(error: unknown): unknown {
  if (error instanceof ProbeFailed) {
    return new DomainError(
      'unavailable',
      'inspection_unavailable',
      'Videos cannot be checked right now; try again shortly.',
      { retryAfter: 5, cause: error },
    );
  }
  if (!isDiskFull(error)) return error;
  return new DomainError('unavailable', 'storage_full', 'There is no room for uploads right now. Try again later.', {
    retryAfter: 60,
    cause: error,
  });
}
