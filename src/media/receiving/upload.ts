import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../core/errors.ts';
import { drainThenClose } from '../../http/request/drain.ts';
import type { MediaFacts } from '../../features/videos/events.ts';
import { isDiskFull, type FreeSpace } from './diskSpace.ts';
import { uploadLimits, type UploadLimits } from './limits.ts';
import { receiveForm, type ReceivedFile } from './multipart.ts';
import { ProbeFailed } from '../inspecting/probe.ts';
import type { Scratch } from './scratch.ts';

export interface ReceiveUploadOptions {
  readonly scratch: Scratch;
  /** Says what is in the file, or throws the `DomainError` that tells its uploader why it is refused. */
  readonly inspect: (
    path: string,
    options: { readonly signal?: AbortSignal | undefined; readonly ownerId?: string },
  ) => Promise<{ readonly facts: MediaFacts }>;
  /** Who uploads: takes turns with others when many files wait to be looked at. */
  readonly ownerId?: string;
  readonly limits?: UploadLimits;
  /** Gives the upload up. */
  readonly signal?: AbortSignal;
  /** How much has arrived, 0 to 1; told at most once a percent, and only when the client said how much is coming. */
  readonly onReceived?: (fraction: number) => void;
  /** The file is here; now it is looked at. */
  readonly onChecking?: () => void;
  /** What the system says by default. */
  readonly freeSpace?: FreeSpace;
  /** Milliseconds without a byte until the upload counts as given up; 30 000 by default. */
  readonly longestPause?: number;
}

/** An upload that may be stored. Dispose it (`await using`) and its temporary file is gone. */
export interface ReceivedUpload extends AsyncDisposable {
  /** The text field `data`, as it was sent; undefined when there was none. */
  readonly data: string | undefined;
  readonly original: ReceivedFile;
  readonly facts: MediaFacts;
}

/**
 * Receives `multipart/form-data` with one file `video` and one text `data` as a stream, never in memory, and looks at
 * the file. On a refusal the rest of the request is drained for a moment, so that the client sees the answer.
 *
 * @throws DomainError `invalid` (form, or it stopped coming), `tooLarge` (as soon as it is), `unsupportedMedia`, `unprocessable`,
 * `unavailable` (no room on the disk, or the file cannot be looked at because of a fault of ours). Nothing is left behind then.
 */
export async function receiveUpload(request: IncomingMessage, options: ReceiveUploadOptions): Promise<ReceivedUpload> {
  const { scratch, inspect, signal, ownerId, limits = uploadLimits } = options;
  const folder = await scratch.make().catch((error: unknown) => {
    drainThenClose(request);
    throw explain(error);
  });
  try {
    const { file, data } = await receiveForm(request, folder.path, limits, options);
    options.onChecking?.();
    const { facts } = await inspect(file.path, { signal, ...(ownerId !== undefined && { ownerId }) });
    return { data, original: file, facts, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    // Last, since a fast sender soon uses up what is drained, and the answer has to be out by then.
    drainThenClose(request);
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
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
