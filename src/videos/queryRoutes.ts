import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { QueryCache } from '../cache/queryCache.ts';
import { fold } from '../core/decider.ts';
import type { RecordedEvent } from '../core/event.ts';
import type { EventStore } from '../eventStore/eventStore.ts';
import { untilMinPosition } from '../http/minPosition.ts';
import { route, type AuthenticatedUser, type Reply, type Route } from '../http/route.ts';
import type { LikeQueries } from '../likes/likeQueries.ts';
import type { ProjectionProgress } from '../projecting/progress.ts';
import type { ViewRecorder } from '../views/viewRecorder.ts';
import { cursorBehind, videoBefore } from './cursor.ts';
import { ownVideo, videoDecider, videoNotFound, videoStream } from './decider.ts';
import { videoEtag } from './etag.ts';
import type { VideoEvent } from './events.ts';
import { historyEntrySchema, historyOf } from './history.ts';
import { videoIdOf, videoIdParams } from './videoId.ts';
import type { VideoQueries, VideoWithNeighbours } from './videoQueries.ts';
import { videoSchema } from './videoView.ts';

export interface VideoQueryRoutesDependencies {
  readonly queries: VideoQueries;
  readonly likes: Pick<LikeQueries, 'isLiked'>;
  readonly cache: QueryCache;
  readonly views: Pick<ViewRecorder, 'record'>;
  readonly progress: Pick<ProjectionProgress, 'waitFor'>;
  readonly store: Pick<EventStore, 'readStream'>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const videoRef = z.object({ id: z.uuid() }).nullable();

export function videoQueryRoutes(dependencies: VideoQueryRoutesDependencies): Route[] {
  return [listVideos(dependencies), getVideo(dependencies), getHistory(dependencies)];
}

function listVideos({ queries, cache, progress }: VideoQueryRoutesDependencies): Route {
  const load = async (page: number, limit: number, cursor: string | undefined): Promise<Buffer> => {
    const from = cursor ? { olderThan: videoBefore(cursor) } : { offset: cursor === '' ? 0 : (page - 1) * limit };
    const { videos, total, next } = await queries.feed(from, limit);
    const nextCursor = next === undefined ? null : cursorBehind(next);
    const meta = { ...(cursor === undefined && { page }), limit, total, nextCursor };
    return envelope('Videos retrieved successfully', videos, meta);
  };
  return route({
    method: 'get',
    path: '/api/v1/video',
    operationId: 'listVideos',
    etag: true,
    summary: 'The feed, newest first',
    tag: 'Videos',
    auth: 'none',
    query: z.object({
      page: z.coerce.number().int().min(1).max(1_000_000).default(1),
      limit: z.coerce.number().int().min(1).max(100).default(10),
      cursor: z.string().max(64).optional().describe('The nextCursor of the page before, empty for the first one: costs the same at any depth. Takes the place of page.'),
    }),
    responses: {
      200: {
        description: 'One page of the feed.',
        data: z.array(videoSchema),
        meta: z.object({
          page: z.int().optional().describe('Absent when a cursor was given.'),
          limit: z.int(),
          total: z.int().describe('Videos in the whole feed.'),
          nextCursor: z.string().nullable().describe('Null on the last page.'),
        }),
      },
    },
    async handle(request): Promise<Reply> {
      const { page, limit, cursor } = request.query;
      if (request.minPosition !== undefined) await untilMinPosition(progress, ['videos'], request);
      const reply = await cache.get({
        key: cursor === undefined ? `feed:page:${page}:${limit}` : `feed:after:${cursor}:${limit}`,
        projection: 'videos',
        minPosition: request.minPosition,
        load: () => load(page, limit, cursor),
      });
      return { status: 200, contentType: JSON_TYPE, ...reply! };
    },
  });
}

function getVideo({ queries, likes, cache, views, progress }: VideoQueryRoutesDependencies): Route {
  /** Of a video that everyone may see. What is shared is its JSON, without anything about who asks. */
  async function listed(videoId: string, minPosition: bigint | undefined): Promise<VideoWithNeighbours | undefined> {
    const shared = await cache.get({
      key: `video:${videoId}`,
      projection: 'videos',
      minPosition,
      load: async () => {
        const found = await queries.byId(videoId);
        return found?.video.status === 'ready' ? Buffer.from(JSON.stringify(found)) : undefined;
      },
    });
    return shared && (JSON.parse(shared.bytes.toString()) as VideoWithNeighbours);
  }

  async function unlisted(videoId: string, user: AuthenticatedUser): Promise<VideoWithNeighbours | undefined> {
    const found = await queries.byId(videoId);
    return found?.video.uploadedBy === user.id ? found : undefined;
  }

  return route({
    method: 'get',
    path: '/api/v1/video/:videoId',
    operationId: 'getVideo',
    etag: true,
    summary: 'One video and its neighbours in the feed; counts a view',
    tag: 'Videos',
    auth: 'optional',
    params: videoIdParams,
    responses: {
      200: {
        description: 'The video. Its owner also sees it while it is processing and when that failed.',
        data: z.object({
          video: videoSchema,
          prev: videoRef.describe('The next older one.'),
          next: videoRef.describe('The next newer one.'),
          isLiked: z.boolean().describe('By the caller.'),
        }),
      },
      404: { description: 'There is no such video.' },
    },
    async handle(request): Promise<Reply> {
      const { params, user, context, address, minPosition } = request;
      const videoId = videoIdOf(params);
      if (minPosition !== undefined) await untilMinPosition(progress, user === undefined ? ['videos'] : ['videos', 'likes'], request);
      const [shared, isLiked] = await Promise.all([
        listed(videoId, minPosition),
        user === undefined ? false : likes.isLiked(videoId, user.id),
      ]);
      const found = shared ?? (user && (await unlisted(videoId, user)));
      if (found === undefined) throw videoNotFound();
      const { video, revision, prev, next } = found;
      if (video.status === 'ready' && request.raw.method === 'GET') {
        views.record({ videoId, ownerId: video.uploadedBy, viewer: { userId: user?.id, address }, context });
      }
      const bytes = envelope('Video retrieved successfully', { video, prev: prev && { id: prev }, next: next && { id: next }, isLiked });
      const etag = videoEtag(revision, createHash('sha1').update(bytes).digest('base64url'));
      const headers = { 'Cache-Control': user === undefined ? 'no-cache' : 'private, no-cache', Vary: 'Origin, Authorization' };
      return { status: 200, contentType: JSON_TYPE, bytes, etag, headers };
    },
  });
}

function getHistory({ store }: VideoQueryRoutesDependencies): Route {
  return route({
    method: 'get',
    path: '/api/v1/video/:videoId/history',
    operationId: 'getVideoHistory',
    summary: 'What happened to a video, from its events',
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    responses: {
      200: { description: 'Its events in order; of a deleted video too.', data: z.array(historyEntrySchema) },
      403: { description: 'It is someone else’s.' },
      404: { description: 'There is no such video.' },
    },
    async handle({ params, user }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const events: RecordedEvent<VideoEvent>[] = [];
      for await (const event of store.readStream(videoStream(videoId))) events.push(event as RecordedEvent<VideoEvent>);
      ownVideo(fold(videoDecider, events), user!.id);
      return { status: 200, message: 'History retrieved successfully', data: events.map(historyOf) };
    },
  });
}

function envelope(message: string, data: unknown, meta?: object): Buffer {
  return Buffer.from(JSON.stringify({ success: true, statusCode: 200, message, ...(meta && { meta }), data }));
}
