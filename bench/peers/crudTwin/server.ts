import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import express, { type Request, type Response } from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { listen } from '../listen.ts';
import { createQueries, type PageRow, type VideoRow } from './queries.ts';
import { createViewCounter } from './views.ts';

export interface CrudTwinSettings {
  readonly databaseUrl: string;
  /** Signs access tokens, as in our server. */
  readonly jwtSecret: string;
  /** The URL of a file is this and its key. */
  readonly mediaUrl: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const CURSOR = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** The same routes as ours with the same answers, as rows that are changed in place: Express and pg, without a cache. */
const [{ databaseUrl, jwtSecret, mediaUrl }] = (await once(process, 'message')) as [CrudTwinSettings];
const key = createSecretKey(jwtSecret, 'utf8');
const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
const queries = createQueries(pool);
const countView = createViewCounter(queries.addViews);
const app = express();
app.disable('x-powered-by');

app.get('/api/v1/video', async (request, response) => {
  const { query } = request;
  const page = whole(query['page'] ?? '1', 1_000_000);
  const limit = whole(query['limit'] ?? '10', 100);
  const cursor = query['cursor'];
  if (page === undefined || limit === undefined || (cursor !== undefined && !CURSOR.test(String(cursor))))
    return void response.status(400).json({ success: false, statusCode: 400, message: 'This page does not exist.' });
  const rows =
    cursor === undefined
      ? await queries.feedAt((page - 1) * limit, limit + 1)
      : await queries.feedAfter(videoBefore(String(cursor)), limit + 1);
  const videos = rows.slice(0, limit);
  const last = rows.length > limit ? videos.at(-1) : undefined;
  response.json({
    success: true,
    statusCode: 200,
    message: 'Videos retrieved successfully',
    meta: {
      ...(cursor === undefined && { page }),
      limit,
      total: rows[0]?.total ?? 0,
      nextCursor: last === undefined ? null : cursorBehind(last),
    },
    data: videos.map(toView),
  });
});

app.get('/api/v1/video/:videoId', async (request, response) => {
  const userId = userOf(request);
  const [row] = await queries.watched(idOf(request), userId ?? null);
  if (row === undefined) return notFound(response);
  countView({ videoId: row.id, viewer: userId ?? String(request.ip) });
  const { prev, next, is_liked: isLiked } = row;
  ok(response, 'Video retrieved successfully', {
    video: toView(row),
    prev: prev && { id: prev },
    next: next && { id: next },
    isLiked,
  });
});

app.post('/api/v1/video/:videoId', async (request, response) => {
  const userId = userOf(request);
  if (userId === undefined)
    return void response.status(401).json({ success: false, statusCode: 401, message: 'Log in.' });
  const videoId = idOf(request);
  const [row] = await queries.toggleLike(userId, videoId);
  if (row === undefined) return notFound(response);
  const message = row.liked ? 'Video liked successfully' : 'Video unliked successfully';
  ok(response, message, { message, videoId, likeCount: row.like_count, likeStatus: row.liked });
});

listen(app);

function ok(response: Response, message: string, data: object): void {
  response.json({ success: true, statusCode: 200, message, data });
}

function notFound(response: Response): void {
  response.status(404).json({ success: false, statusCode: 404, message: 'There is no such video.' });
}

function toView(row: VideoRow | PageRow): object {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    url: mediaUrl + row.video_key,
    thumbnailUrl: mediaUrl + row.thumbnail_key,
    hlsUrl: row.hls_key && mediaUrl + row.hls_key,
    storyboardUrl: row.storyboard_key && mediaUrl + row.storyboard_key,
    previewUrl: row.preview_key && mediaUrl + row.preview_key,
    viewCount: row.view_count,
    likeCount: row.like_count,
    uploadedBy: row.owner_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    user: { name: row.name, username: row.username },
    duration: row.duration,
    width: row.width,
    height: row.height,
    status: row.status,
    visibility: row.visibility,
  };
}

/** The user of the access token; undefined without a token, or with one that is not valid. */
function userOf({ headers: { authorization } }: Request): string | undefined {
  if (!authorization?.startsWith('Bearer ')) return undefined;
  try {
    return (jwt.verify(authorization.slice('Bearer '.length), key, { algorithms: ['HS256'] }) as { id: string }).id;
  } catch {
    return undefined;
  }
}

/** No video has the id that stands for text that is none. */
function idOf({ params }: Request): string {
  const { videoId } = params;
  return UUID.test(String(videoId)) ? String(videoId) : '00000000-0000-0000-0000-000000000000';
}

function whole(text: unknown, most: number): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined;
}

function cursorBehind({ id }: VideoRow): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

function videoBefore(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('hex');
}
