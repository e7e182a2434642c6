import type { Logger } from 'pino';
import { v7 } from 'uuid';
import { createFailureLog } from '../../../telemetry/failureLog.ts';
import type { Sweep } from '../../feature.ts';
import { findBucketOwner, type BucketOwnerOptions } from '../processing/bucketOwner.ts';
import { finishUpload, isRefusal, removeUpload, type FinishDependencies } from './finishUpload.ts';
import { removeParts, UPLOADS_PREFIX } from './parts.ts';
import type { UploadRow } from './uploads.ts';

export interface UploadSweepOptions extends FinishDependencies, Pick<BucketOwnerOptions, 'logId'> {
  readonly logger: Logger;
}

/** Does for resumable uploads what no request does any more. Several processes may do it at the same time. */
export interface UploadSweep extends Sweep {
  /**
   * Removes uploads that have expired, and finishes those whose last byte has arrived but whose process has died.
   * Every hour it also removes stored bytes that belong to no upload.
   */
  look(): Promise<void>;
}

const EVERY_MS = 60_000;
/** Looks from one search for lost bytes to the next. */
const LOST_BYTES_EVERY = 60;

export function createUploadSweep(options: UploadSweepOptions): UploadSweep {
  const { uploads, logger } = options;
  const failed = createFailureLog(logger);
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;
  let looking: Promise<void> = Promise.resolve();
  const stopping = new AbortController();

  /** Each upload for itself: one that cannot be handled now must not hold up the others. */
  const forEach = async (found: readonly UploadRow[], handle: (upload: UploadRow) => Promise<void>): Promise<void> => {
    for (const upload of found) {
      if (stopping.signal.aborted) return;
      await handle(upload).catch((error: unknown) => failed(error, 'could not end a resumable upload'));
    }
  };

  const look = async (): Promise<void> => {
    await forEach(await uploads.expired(), (upload) => removeExpired(options, upload));
    await forEach(await uploads.abandonedAtTheEnd(), (upload) => finishAbandoned(options, upload));
    if (looks++ % LOST_BYTES_EVERY === 0) await removeLostBytes(options);
  };
  const lookQuietly = (): void => {
    looking = looking
      .then(look)
      .catch((error: unknown) => failed(error, 'could not look for resumable uploads that have ended'));
  };

  return {
    look,
    start: () => {
      lookQuietly();
      timer = setInterval(lookQuietly, EVERY_MS).unref();
    },
    close: async () => {
      clearInterval(timer);
      stopping.abort();
      await looking;
    },
  };
}

/** When a request still uses it, the request is asked to end, and the next look removes the upload. */
async function removeExpired(options: UploadSweepOptions, { id, video_id: videoId }: UploadRow): Promise<void> {
  if ((await options.uploads.lock(id, v7())) === 'locked') await removeUpload(options, id, videoId);
}

async function finishAbandoned(options: UploadSweepOptions, { id, owner_id: actor }: UploadRow): Promise<void> {
  const context = { correlationId: v7(), actor, now: new Date() };
  await finishUpload(options, id, context).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
    options.logger.info(
      { reason: (error as Error).message },
      'a resumable upload was refused after its process had died',
    );
  });
}

/** Bytes that were stored while their upload was removed, by a process that was killed before it removed them again. */
async function removeLostBytes({ uploads, objects, files, logId }: UploadSweepOptions): Promise<void> {
  const ids = new Set<string>();
  for await (const key of objects.list(UPLOADS_PREFIX)) ids.add(key.split('/')[1] ?? '');
  if (ids.size === 0 || (await findBucketOwner({ objects, scratch: files.scratch, logId })).owner !== 'us') return;
  for (const id of ids) {
    const upload = await uploads.find(id);
    if (upload === undefined || upload.video_position !== null) await removeParts(objects, id);
  }
}
