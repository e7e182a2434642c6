import { v7 } from 'uuid';
import type { CommandContext } from '../../../core/commandContext.ts';
import { DomainError, type ErrorKind } from '../../../core/errors.ts';
import { explainFault } from '../../../media/receiving/upload.ts';
import { ObjectStoreUnavailable } from '../../../objectStore/objectStore.ts';
import type { FeatureContext } from '../../feature.ts';
import type { UploadQuota } from '../processing/uploadQuota.ts';
import { readVideo } from '../readVideo.ts';
import { recordUpload, uploadReporter } from '../recordUpload.ts';
import { joinParts, removeParts } from './parts.ts';
import { detailsOf, metadataOf } from './uploadDetails.ts';
import { createUploadLocker } from './uploadLocker.ts';
import { isComplete, uploadNotFound, type UploadRow, type Uploads } from './uploads.ts';

export interface FinishDependencies extends Pick<FeatureContext, 'store' | 'objects' | 'files' | 'reportProgress'> {
  readonly uploads: Uploads;
  readonly quota: Pick<UploadQuota, 'release'>;
}

export interface FinishedUpload {
  readonly videoId: string;
  /** Of its first event. */
  readonly position: bigint;
}

/** What is wrong with the file itself, or with its owner. Any other error may pass, and then the upload is finished later. */
const REFUSALS: ReadonlySet<ErrorKind> = new Set([
  'invalid',
  'tooLarge',
  'unsupportedMedia',
  'unprocessable',
  'forbidden',
]);

/** Whether the upload can never become a video. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DomainError && REFUSALS.has(error.kind);
}

/**
 * Makes a complete upload a video: the same checks as for a form, then the event. It may be repeated, and a process may
 * die at any step: the video's id was chosen when the upload began, so there is one video. An upload that is refused is
 * removed. Undefined: bytes are missing.
 * @throws DomainError `upload_not_found`, `upload_locked`, or why the file is refused
 */
export async function finishUpload(
  dependencies: FinishDependencies,
  id: string,
  context: CommandContext,
): Promise<FinishedUpload | undefined> {
  const { uploads, objects } = dependencies;
  const lock = createUploadLocker(uploads, v7()).newLock(id);
  // Requests that ask for the lock wait until the video is recorded.
  await lock.lock(new AbortController().signal, () => undefined);
  try {
    const upload = await uploads.find(id);
    if (upload === undefined) throw uploadNotFound();
    const { video_id: videoId, video_position: known } = upload;
    if (known !== null) return { videoId, position: known };
    if (!isComplete(upload)) return undefined;
    const position = await becomeVideo(dependencies, upload, context);
    await uploads.finish(id, position);
    // The sweep removes what stays behind here.
    await removeParts(objects, id).catch(() => undefined);
    return { videoId, position };
  } finally {
    await lock.unlock();
  }
}

async function becomeVideo(
  { store, objects, files, reportProgress, uploads, quota }: FinishDependencies,
  upload: UploadRow,
  context: CommandContext,
): Promise<bigint> {
  const { id, owner_id: ownerId, video_id: videoId } = upload;
  const existing = await readVideo(store, videoId);
  if (existing.state.status !== 'none') return existing.position;
  try {
    await using folder = await files.scratch.make();
    const file = await joinParts(objects, upload, folder.path);
    uploadReporter(reportProgress, { userId: ownerId, videoId })('checking');
    const { facts } = await files.inspect(file.path, { ownerId, sha256: file.sha256 });
    const { filename: _, ...details } = detailsOf(metadataOf(upload));
    const checked = { videoId, ownerId, ...details, file, facts };
    return (await recordUpload({ store, objects, reportProgress }, checked, context)).position;
  } catch (error) {
    if (isRefusal(error)) await removeUpload({ uploads, objects, quota }, id, videoId);
    throw explainFault(error);
  }
}

/**
 * Leaves nothing of an upload. A video that it has become stays. It is safe to repeat. Bytes that cannot be removed while the
 * object store is away are removed by the sweep, since they belong to no upload then.
 */
export async function removeUpload(
  { uploads, objects, quota }: Pick<FinishDependencies, 'uploads' | 'objects' | 'quota'>,
  id: string,
  videoId: string,
): Promise<void> {
  await uploads.remove(id);
  await quota.release(videoId);
  await removeParts(objects, id).catch((error: unknown) => {
    if (!(error instanceof ObjectStoreUnavailable)) throw error;
  });
}
