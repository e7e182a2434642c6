import { z } from 'zod';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { cleanedText, visibleLine } from '../../http/request/textSchemas.ts';
import type { ApiContext } from '../feature.ts';
import { videoDecider, videoNotFound, videoStream, type VideoCommand, type VideoState } from './decider.ts';
import { revisionWanted, videoEtag } from './etag.ts';
import { visibilities, type VideoEvent } from './events.ts';
import { readVideo } from './readVideo.ts';
import { videoIdOf, videoIdParams } from './videoId.ts';
import { createVideoQueries } from './videoQueries.ts';
import { videoSchema } from './videoView.ts';
import { currentView } from './currentView.ts';

export const videoTitle = visibleLine({ max: 200 }).meta({
  description:
    'One line with a visible character. Control, invisible and direction-changing characters, and spaces at its ends, are removed.',
  examples: ['Test card'],
});
export const videoDescription = cleanedText({ max: 5_000 }).meta({
  description: 'May have several lines, and may be empty. It is cleaned like titles.',
  examples: ['Four seconds'],
});

export const videoVisibility = z
  .enum(visibilities)
  .meta({
    description:
      '`public`: everyone may watch it, and it is in the feed. `unlisted`: everyone who knows its id may watch it. `private`: only its owner.',
    examples: ['public'],
  });

/** JSON Schema can express "at least one of these properties" only as `anyOf`. */
const changedDetails = z
  .object({
    title: videoTitle.optional(),
    description: videoDescription.optional(),
    visibility: videoVisibility.optional(),
  })
  .refine(
    (changed) => Object.values(changed).some((value) => value !== undefined),
    'must have a title, a description, a visibility, or several of them',
  )
  .meta({
    id: 'ChangedDetails',
    description: 'The title, the description, the visibility, or several of them.',
    anyOf: [{ required: ['title'] }, { required: ['description'] }, { required: ['visibility'] }],
  });

const refusals = {
  403: { description: 'The video belongs to another user.', code: 'not_your_video' },
  404: { description: 'There is no such video.', code: 'video_not_found' },
  412: { description: 'The video has changed since its ETag was read.', code: 'precondition_failed' },
};

export function videoCommandRoutes(context: ApiContext): Route[] {
  return [changeDetails(context), deleteVideo(context)];
}

/** What the system records about the files of a video. Nobody who edits the video has missed a change. */
const upkeep: ReadonlySet<string> = new Set<VideoEvent['type']>([
  'VideoFilesMoved',
  'VideoLadderMade',
  'VideoStoryboardMade',
  'VideoPreviewMade',
]);

/** The revision up to which the video is as it was at this one, but for the upkeep. */
async function unchangedUntil(
  store: Pick<EventStore, 'readStream'>,
  videoId: string,
  revision: number,
): Promise<number> {
  let last = revision;
  for await (const event of store.readStream(videoStream(videoId), { from: revision + 1 })) {
    if (!upkeep.has(event.type)) return revision;
    last = event.revision;
  }
  return last;
}

/**
 * @throws RevisionConflict when the video has changed since `expectedRevision`, unless the rules forbid the command at
 * any revision
 */
export async function handleVideoCommand(
  store: Pick<EventStore, 'append' | 'readStream'>,
  videoId: string,
  command: VideoCommand,
  context: CommandContext,
  expectedRevision?: number,
): Promise<CommandOutcome<VideoEvent, VideoState>> {
  try {
    const options = expectedRevision !== undefined && {
      expectedRevision: await unchangedUntil(store, videoId, expectedRevision),
    };
    return await handleCommand(store, videoDecider, videoStream(videoId), command, context, options || {});
  } catch (error) {
    // 403 and 404 do not depend on the version, so they take precedence over the conflict.
    if (error instanceof RevisionConflict) videoDecider.decide(command, (await readVideo(store, videoId)).state);
    throw error;
  }
}

function changeDetails({ store, db, objects, readModels }: ApiContext): Route {
  const queries = createVideoQueries({ db, urls: objects });
  return route({
    method: 'patch',
    path: '/api/v1/video/:videoId',
    operationId: 'changeVideoDetails',
    etag: true,
    summary: 'Change the details or the visibility',
    description:
      'Changes the given fields and keeps the others. A video that becomes private leaves the feed at once, and its files move to where only signed URLs reach them, within seconds. Only the owner of a video may do this. With `If-Match`, it takes effect only if the video has not changed since.',
    tag: 'Videos',
    auth: 'required',
    // A stored answer would repeat signed URLs that have ended.
    repeat: 'sameCommand',
    params: videoIdParams,
    body: changedDetails,
    responses: {
      200: { description: 'The video as it is now.', message: 'Video updated successfully', data: videoSchema },
      ...refusals,
    },
    async handle({ params, body, user, context, raw, signal }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const command: VideoCommand = {
        type: 'ChangeVideoDetails',
        userId: user.id,
        ...body,
        at: context.now.toISOString(),
      };
      const expected = revisionWanted(raw.headers['if-match']);
      const appended = await handleVideoCommand(store, videoId, command, context, expected);
      const { state, revision } = appended;
      if (state.status === 'none' || state.status === 'deleted') throw videoNotFound();
      // Wait before the counts are read, so that they are not older than the change.
      const behind = !(await readModels.isShown(appended, { signal }));
      const data = await currentView(queries, objects, state, user);
      const headers = { ETag: videoEtag(revision!) };
      return { status: 200, message: 'Video updated successfully', data, appended, behind, headers };
    },
  });
}

function deleteVideo({ store }: ApiContext): Route {
  return route({
    method: 'delete',
    path: '/api/v1/video/:videoId',
    operationId: 'deleteVideo',
    etag: true,
    summary: 'Delete a video',
    description:
      'Removes the video from the feed and its files from storage. Only the owner of a video may do this. It cannot be undone.',
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    responses: { 204: { description: 'The video is deleted. Deleting it again changes nothing.' }, ...refusals },
    async handle({ params, user, context, raw }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const command: VideoCommand = { type: 'DeleteVideo', userId: user.id, at: context.now.toISOString() };
      const expected = revisionWanted(raw.headers['if-match']);
      const appended = await handleVideoCommand(store, videoId, command, context, expected);
      return { status: 204, message: 'Video deleted successfully', appended };
    },
  });
}
