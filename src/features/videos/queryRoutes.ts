import { z } from 'zod';
import { cachedReply, replyForm, type CachedReply } from '../../cache/cachedReply.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type AuthenticatedUser, type Reply, type Route } from '../../http/route.ts';
import { DomainError } from '../../core/errors.ts';
import { findUserByUsername, nameHashOf } from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';
import { likes } from '../../../projections/likes.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { createViewRecorder } from '../views/index.ts';
import { CURSOR, cursorBehind, videoBefore } from './cursor.ts';
import { isSeenByOthers, videoNotFound } from './decider.ts';
import { envelope } from './envelope.ts';
import { videoIdOf, videoIdParams } from './videoId.ts';
import { VideoPage, videoPageForm } from './videoPage.ts';
import { createVideoQueries } from './videoQueries.ts';
import { videoSchema } from './videoView.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const videoRef = (id: string) => z.object({ id: z.uuid().meta({ examples: [id] }) }).nullable();

export const videoPageSchema = z.object({
  video: videoSchema,
  prev: videoRef(exampleValues.olderVideoId).meta({ description: 'The next older video.' }),
  next: videoRef(exampleValues.newerVideoId).meta({ description: 'The next newer video.' }),
  isLiked: z
    .boolean()
    .meta({ description: 'Whether the caller likes it. False without an access token.', examples: [false] }),
});

const exampleCursor = cursorBehind(exampleValues.olderVideoId);

export function videoQueryRoutes(context: ApiContext): Route[] {
  return [listVideos(context), getVideo(context)];
}

interface FeedQuestion {
  readonly page: number;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly username?: string | undefined;
}

/** Requests with the same URL share their question, and so the text of its key: V8 hashes it once, not for each request. */
const keys = new WeakMap<FeedQuestion, string>();

function keyOf(question: FeedQuestion): string {
  let key = keys.get(question);
  if (key === undefined) {
    const { page, limit, cursor, username } = question;
    const place = cursor === undefined ? `page:${page}:${limit}` : `after:${cursor}:${limit}`;
    key = username === undefined ? `feed:${place}` : `author:${place}:${username}`;
    keys.set(question, key);
  }
  return key;
}

function listVideos(context: ApiContext): Route {
  const { store, db, objects, cache } = context;
  const queries = createVideoQueries({ db, urls: objects });
  const nameHash = nameHashOf(context);

  const authorOf = async (name: string) => {
    const user = await findUserByUsername(store, nameHash, name);
    return user && { id: user.id, name: user.name, username: user.username };
  };

  const load = async ({ page, limit, cursor, username }: FeedQuestion): Promise<CachedReply | undefined> => {
    const author = username === undefined ? undefined : await authorOf(username);
    if (username !== undefined && author === undefined) return undefined;
    const from = cursor ? { olderThan: videoBefore(cursor) } : { offset: cursor === '' ? 0 : (page - 1) * limit };
    const { videos, total, next } = await queries.feed(from, limit, author?.id);
    const nextCursor = next === undefined ? null : cursorBehind(next);
    const meta = { ...(cursor === undefined && { page }), limit, total, nextCursor, ...(author && { user: author }) };
    return cachedReply(envelope('Videos retrieved successfully', videos, meta));
  };
  return route({
    method: 'get',
    path: '/api/v1/video',
    operationId: 'listVideos',
    etag: true,
    summary: 'List the feed',
    description:
      'Public videos that are ready to play, newest first; with `username`, those of one user. Page through it with `page` or with `cursor`. Pages by cursor are equally fast at any depth, and show no video twice when new ones arrive. By `page`, only the first 10 000 videos can be reached: a `page` × `limit` above that is refused with 400 in a longer feed.',
    tag: 'Videos',
    auth: 'none',
    reads: [videos],
    query: z.object({
      page: z.coerce
        .number()
        .int()
        .min(1)
        .max(1_000_000)
        .default(1)
        .meta({
          description:
            'The number of the page, from 1. Ignored when there is a `cursor`. `page` × `limit` must not be above 10 000 unless the page lies behind the end of the feed.',
        }),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .meta({ description: 'How many videos a page may have.' }),
      cursor: z
        .string()
        .regex(CURSOR, 'must be the nextCursor of a page, or empty')
        .optional()
        .meta({
          description: `The \`nextCursor\` of the page before (22 characters of base64url, like \`${exampleCursor}\`), or empty for the first page.`,
        }),
      username: z
        .string()
        .min(1)
        .max(50)
        .optional()
        .meta({ description: 'Only videos of this user. Case makes no difference.' }),
    }),
    responses: {
      200: {
        description: 'One page of the feed.',
        message: 'Videos retrieved successfully',
        data: z.array(videoSchema),
        meta: z.object({
          page: z
            .int32()
            .min(1)
            .optional()
            .meta({ description: 'Absent when a cursor was given.', examples: [1] }),
          limit: z
            .int32()
            .min(1)
            .max(100)
            .meta({ examples: [10] }),
          total: z
            .int32()
            .min(0)
            .meta({ description: 'Videos in the whole feed, or in that of the user.', examples: [42] }),
          nextCursor: z
            .string()
            .nullable()
            .meta({ description: 'Null on the last page.', examples: [exampleCursor] }),
          user: z
            .object({
              id: z.uuid().meta({ examples: [exampleValues.userId] }),
              name: z.string().meta({ examples: ['Ada Lovelace'] }),
              username: z.string().meta({ examples: ['ada'] }),
            })
            .optional()
            .meta({ description: 'The user that `username` names.' }),
        }),
      },
      404: { description: 'No user has this `username`.', code: 'user_not_found' },
    },
    async handle(request): Promise<Reply> {
      const reply = await cache.get({
        key: keyOf(request.query),
        projection: videos.name,
        minPosition: request.minPosition,
        form: replyForm,
        load: () => load(request.query),
      });
      if (reply === undefined) throw new DomainError('notFound', 'user_not_found', 'No user has this username.');
      return { status: 200, contentType: JSON_TYPE, ...reply };
    },
  });
}

function getVideo(context: ApiContext): Route {
  const { db, objects, cache } = context;
  const queries = createVideoQueries({ db, urls: objects });
  const views = createViewRecorder({ ...context, secret: context.hmac('viewer') });
  context.onClose(() => views.close());

  /** A video that everyone may see who knows its id: the only answers that readers share. */
  function shared(videoId: string, minPosition: bigint | undefined): Promise<VideoPage | undefined> {
    return cache.get({
      key: `video:${videoId}`,
      projection: videos.name,
      minPosition,
      form: videoPageForm,
      load: async () => {
        const found = await queries.byId(videoId);
        if (found === undefined) return undefined;
        const { status, visibility } = found.video;
        return isSeenByOthers({ status, visibility, ...(found.isHidden && { isHidden: true }) })
          ? new VideoPage(found)
          : undefined;
      },
    });
  }

  /** Any other video, for its owner. */
  async function own(videoId: string, user: AuthenticatedUser): Promise<VideoPage | undefined> {
    const found = await queries.byId(videoId);
    return found?.video.uploadedBy === user.id ? new VideoPage(found) : undefined;
  }

  return route({
    method: 'get',
    path: '/api/v1/video/:videoId',
    operationId: 'getVideo',
    etag: true,
    summary: 'Watch a video',
    description:
      'One video, and the ids of its neighbours in the feed. Counts one view per viewer (user, or else address) and minute. The owner also gets a video that is private, is hidden by a moderator, is being processed or has failed.',
    tag: 'Videos',
    auth: 'optional',
    reads: [videos, likes],
    params: videoIdParams,
    query: z.object({
      view: z
        .enum(['true', 'false'])
        .default('true')
        .meta({ description: 'With `false`, no view is counted: for a client that already shows the video.' }),
    }),
    responses: {
      200: { description: 'The video.', message: 'Video retrieved successfully', data: videoPageSchema },
      404: { description: 'There is no such video.', code: 'video_not_found' },
    },
    async handle(request): Promise<Reply> {
      const { params, user, context, address, minPosition } = request;
      const videoId = videoIdOf(params);
      const shown = shared(videoId, minPosition);
      const [found, isLiked] =
        user === undefined ? [await shown, false] : await Promise.all([shown, queries.isLiked(videoId, user.id)]);
      const page = found ?? (user && (await own(videoId, user)));
      if (page === undefined) throw videoNotFound();
      const { video, isHidden } = page.found;
      if (video.status === 'ready' && request.raw.method === 'GET' && request.query.view === 'true') {
        const isPrivate = isHidden || video.visibility === 'private';
        views.record({ videoId, ownerId: video.uploadedBy, isPrivate, viewer: { userId: user?.id, address }, context });
      }
      const headers = {
        'Cache-Control': user === undefined ? 'no-cache' : 'private, no-cache',
        Vary: 'Origin, Authorization',
      };
      return { status: 200, contentType: JSON_TYPE, ...page.reply(isLiked), headers };
    },
  });
}
