import { z } from 'zod';
import type { CommandContext } from '../../core/commandContext.ts';
import { DomainError, validationFailed } from '../../core/errors.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { drainThenClose } from '../../http/request/drain.ts';
import { route, type AuthenticatedUser, type Reply, type Route } from '../../http/route.ts';
import { validate } from '../../http/request/validate.ts';
import { receiveUpload } from '../../media/receiving/upload.ts';
import { uploadLimits } from '../../media/limits.ts';
import { quotaRefusal, type UploadQuota } from './processing/uploadQuota.ts';
import type { ApiContext } from '../feature.ts';
import { currentView } from './currentView.ts';
import { videoNotFound, videoStream, type ExistingVideo, type VideoState } from './decider.ts';
import { videoEventTypes } from './events.ts';
import { readVideo, untilProcessed } from './readVideo.ts';
import { newVideoDetails, recordUpload, uploadReporter, type NewVideoDetails } from './recordUpload.ts';
import { videoIdForUpload } from './videoIdForUpload.ts';
import { createVideoQueries } from './videoQueries.ts';
import { videoSchema } from './videoView.ts';

interface UploadDependencies extends Pick<ApiContext, 'store' | 'objects' | 'files' | 'reportProgress'> {
  readonly quota: UploadQuota;
}

/**
 * As long as the first try may have taken. A client whose connection is closed while it sends may not see its answer,
 * and would try again for ever.
 */
const LONGEST_REPEAT_MS = 30 * 60_000;

export function uploadRoute(context: ApiContext, quota: UploadQuota): Route {
  const { store, db, objects, readModels, settings } = context;
  const dependencies: UploadDependencies = { ...context, quota };
  const queries = createVideoQueries({ db, urls: objects });
  return route({
    method: 'post',
    path: '/api/v1/video/upload',
    operationId: 'uploadVideo',
    summary: 'Upload a video',
    description:
      'Takes an MP4 file of at most 60 seconds and 50 MB. The request waits until the video is ready to play. With `Prefer: respond-async`, or when processing takes too long, the answer is 202 and comes earlier.',
    tag: 'Videos',
    auth: 'required',
    limit: 'upload',
    // A stored answer would repeat signed URLs that have ended.
    repeat: 'sameCommand',
    multipart: z.object({
      video: z.file().meta({ description: 'The MP4 file.' }),
      data: z
        .string()
        .meta({
          description:
            'JSON text with `title` (1 to 200 characters) and optionally `description` (at most 5000) and `visibility` (`public`, `unlisted` or `private`; `public` by default). The texts are cleaned as described in the schema `ChangedDetails`.',
          examples: ['{"title":"Test card","description":"Four seconds"}'],
        }),
    }),
    responses: {
      201: { description: 'The video, ready to play.', message: 'Video uploaded successfully', data: videoSchema },
      202: {
        description: 'The video is still being processed.',
        message: 'Video received; it is being processed',
        data: videoSchema,
      },
      403: { description: 'The account was suspended while the file was sent.', code: 'account_suspended' },
      413: { description: 'The file is larger than 50 MB.', code: 'file_too_large' },
      415: { description: 'The file is not an MP4. Its content decides, not its name.', code: 'not_an_mp4' },
      422: {
        description:
          'The video is longer than 60 seconds, has too many pixels in all its frames, or cannot be decoded or processed. The message says why.',
        code: 'video_too_long',
      },
      429: quotaRefusal,
    },
    async handle({ user, context: command, raw, signal }): Promise<Reply> {
      const videoId = await videoIdForUpload(store, user.id, command);
      const isRepeat =
        command.idempotencyKey !== undefined && (await readVideo(store, videoId)).state.status !== 'none';
      if (isRepeat) drainThenClose(raw, LONGEST_REPEAT_MS);
      else await receiveWithinQuota(dependencies, videoId, user, raw, command);

      const withinMs = prefersAsync(raw.headers['prefer']) ? 0 : settings.uploadWaitSeconds * 1_000;
      const { state, position } = await untilProcessed({ store, readModels }, videoId, { withinMs, signal });
      const video = acceptedVideo(state);
      const appended = { stream: videoStream(videoId), position, types: Object.keys(videoEventTypes) };
      const behind = !(await readModels.isShown(appended, { signal }));
      const ready = video.status === 'ready';
      return {
        status: ready ? 201 : 202,
        message: ready ? 'Video uploaded successfully' : 'Video received; it is being processed',
        data: await currentView(queries, objects, video, { name: user.name, username: user.username }),
        headers: { Location: `/api/v1/video/${videoId}` },
        appended,
        behind,
      };
    },
  });
}

/** The video of an upload. @throws DomainError `processing_failed`, `video_not_found` (it was deleted meanwhile) */
function acceptedVideo(state: VideoState): ExistingVideo {
  if (state.status === 'none' || state.status === 'deleted') throw videoNotFound();
  if (state.status !== 'failed') return state;
  throw new DomainError('unprocessable', 'processing_failed', state.failure ?? 'The video could not be processed.');
}

/** Checks the quota before the file is received. */
async function receiveWithinQuota(dependencies: UploadDependencies, videoId: string, ...rest: Received): Promise<void> {
  const [user, request] = rest;
  const { quota } = dependencies;
  const { maxBytes } = uploadLimits;
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  try {
    await quota.reserve({
      videoId,
      ownerId: user.id,
      bytes: Number.isNaN(announced) ? maxBytes : Math.min(announced, maxBytes),
    });
  } catch (error) {
    drainThenClose(request);
    throw error;
  }
  try {
    await receive(dependencies, videoId, ...rest);
  } catch (error) {
    // The store has not answered, so the event may be in the log.
    if (!(error instanceof EventStoreUnavailable)) await quota.release(videoId);
    throw error;
  }
}

type Received = [user: AuthenticatedUser, request: Parameters<typeof receiveUpload>[0], context: CommandContext];

async function receive(
  { store, objects, files: { scratch, inspect }, reportProgress }: UploadDependencies,
  videoId: string,
  ...[user, request, context]: Received
): Promise<void> {
  const report = uploadReporter(reportProgress, { userId: user.id, videoId });
  await using received = await receiveUpload(request, {
    scratch,
    inspect,
    ownerId: user.id,
    onReceived: (fraction) => report('receiving', fraction),
    onChecking: () => report('checking'),
  });
  const { original: file, facts } = received;
  const upload = { videoId, ownerId: user.id, ...parseDetails(received.data), file, facts };
  await recordUpload({ store, objects, reportProgress }, upload, context);
}

/** @throws DomainError `validation_failed` with a message for each field. */
function parseDetails(text: string | undefined): NewVideoDetails {
  let body: unknown;
  try {
    body = JSON.parse(text ?? '{}');
  } catch {
    throw validationFailed([{ path: 'data', message: 'data must be JSON text' }]);
  }
  return validate({ body: newVideoDetails }, { params: undefined, query: undefined, body }).body as NewVideoDetails;
}

/** RFC 7240. */
function prefersAsync(header: string | string[] | undefined): boolean {
  return /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i.test(String(header ?? ''));
}
