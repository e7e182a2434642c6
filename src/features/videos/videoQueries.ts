import {
  sql,
  type AliasedExpression,
  type Expression,
  type InferResult,
  type Kysely,
  type SelectQueryBuilder,
} from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { counted, type Counted } from '../../../projections/videoCounts.ts';
import type { VideoRow } from '../../../projections/videos/tables.ts';
import { videos as videosProjection } from '../../../projections/videos/videos.ts';
import { preparedQuery, type Argument } from '../../postgres/preparedQuery.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import { countsOf, type MediaUrls, type VideoCounts, type VideoView } from './videoView.ts';

export interface FeedPage {
  readonly videos: readonly VideoView[];
  /** How many videos the whole feed has. */
  readonly total: number;
  /** Id of the last video of this page; undefined when nothing comes after it. */
  readonly next: string | undefined;
}

export interface VideoWithNeighbours {
  readonly video: VideoView;
  /** Last revision of the video's stream that the read model has. */
  readonly revision: number;
  /** Ids of the next older and the next newer video of the feed. */
  readonly prev: string | null;
  readonly next: string | null;
}

/** The read model `videos`. Ids in questions must be UUIDs. */
export interface VideoQueries {
  /** Newest first, only ready ones: after a number of videos, or older than the one with this id. */
  feed(from: { readonly offset: number } | { readonly olderThan: string }, limit: number): Promise<FeedPage>;
  /** A video of any status; undefined when it is deleted. */
  byId(videoId: string): Promise<VideoWithNeighbours | undefined>;
  /** Everything that a user has uploaded and not deleted, newest first, in any status. */
  ofOwner(userId: string): Promise<VideoView[]>;
  /** From the projection `likes`. */
  isLiked(videoId: string, userId: string): Promise<boolean>;
  /** What is counted of a video, for an answer that takes the rest from the video's stream. */
  counts(videoId: string): Promise<VideoCounts>;
}

type CountColumn = `${Counted}_count`;

const countColumns = counted.map((what): CountColumn => `${what}_count`);

type Videos = SelectQueryBuilder<ReadModels, 'videos.videos', VideoRow>;
type ViewRow = InferResult<ReturnType<typeof view>>[number];

/** Counts and authors are in rows of their own, which may not exist yet. */
function view(db: Kysely<ReadModels>, videos: AliasedExpression<VideoRow, 'v'>, counts: readonly CountColumn[]) {
  return db
    .selectFrom(videos)
    .leftJoin('videos.counts as c', 'c.video_id', 'v.id')
    .leftJoin('videos.authors as a', 'a.user_id', 'v.owner_id')
    .select([
      'v.id',
      'v.title',
      'v.description',
      'v.video_key',
      'v.thumbnail_key',
      'v.owner_id',
      'v.created_at',
      'v.updated_at',
      'v.duration',
      'v.width',
      'v.height',
      'v.status',
      'v.revision',
      ...counts.map((column) => `c.${column}` as const),
      'a.name',
      'a.username',
    ]);
}

/** The statements, with these counts. */
function buildStatements(db: Kysely<ReadModels>, counts: readonly CountColumn[]) {
  const existing = (): Videos => db.selectFrom('videos.videos').selectAll().where('deleted_at', 'is', null);
  /** The status is part of the text: a prepared statement uses the index of the feed only if it can see the condition. */
  const listed = (): Videos => existing().where('status', '=', sql.lit('ready'));

  const neighbour = (side: '<' | '>') =>
    db
      .selectFrom(listed().as('n'))
      .select('n.id')
      .where('n.id', side, sql.ref<string>('v.id'))
      .orderBy('n.id', side === '<' ? 'desc' : 'asc')
      .limit(sql.lit(1));

  // One more than asked for tells whether anything comes after. The page is cut before counts are joined to it.
  const newest = (limit: Expression<number>): Videos => listed().orderBy('id', 'desc').limit(limit);
  /** The one row of totals exists also when the page is empty. */
  const withTotal = (page: Videos) =>
    db
      .selectFrom('videos.totals as t')
      .leftJoinLateral(view(db, page.as('v'), counts).as('page'), (join) => join.onTrue())
      .select('t.ready as total')
      .selectAll('page')
      .orderBy('page.id', 'desc');

  const feedAt = preparedQuery(db, (argument: Argument<{ offset: number; limit: number }>) =>
    withTotal(newest(argument('limit')).offset(argument('offset'))),
  );
  const feedAfter = preparedQuery(db, (argument: Argument<{ olderThan: string; limit: number }>) =>
    withTotal(newest(argument('limit')).where('id', '<', argument('olderThan'))),
  );
  const withNeighbours = preparedQuery(db, (argument: Argument<{ videoId: string }>) =>
    view(db, existing().where('id', '=', argument('videoId')).as('v'), counts).select([
      neighbour('<').as('prev'),
      neighbour('>').as('next'),
    ]),
  );

  const videosOf = preparedQuery(db, (argument: Argument<{ userId: string }>) =>
    view(db, existing().where('owner_id', '=', argument('userId')).as('v'), counts).orderBy('v.id', 'desc'),
  );
  const countsOfVideo = preparedQuery(db, (argument: Argument<{ videoId: string }>) =>
    db
      .selectFrom('videos.counts as c')
      .select(counts.map((column) => `c.${column}` as const))
      .where('c.video_id', '=', argument('videoId')),
  );

  return { feedAt, feedAfter, withNeighbours, videosOf, countsOfVideo };
}

export function createVideoQueries({
  db,
  urls,
}: {
  readonly db: Kysely<ReadModels>;
  readonly urls: MediaUrls;
}): VideoQueries {
  type Statements = ReturnType<typeof buildStatements>;
  const statements = new Map<string, Statements>();
  /** A count that the tables in place do not have yet is 0 in the answer. */
  const ask = <Result>(question: (statements: Statements) => Promise<Result>): Promise<Result> =>
    askColumnsInPlace(db, { projection: videosProjection, table: 'counts', columns: countColumns }, (columns) => {
      const key = columns.join();
      const prepared = statements.get(key) ?? buildStatements(db, columns);
      statements.set(key, prepared);
      return question(prepared);
    });

  const toView = (row: ViewRow): VideoView => ({
    id: row.id,
    title: row.title,
    description: row.description,
    url: row.video_key && urls.url(row.video_key),
    thumbnailUrl: row.thumbnail_key && urls.url(row.thumbnail_key),
    ...countsOf(row),
    uploadedBy: row.owner_id,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    user: { name: row.name ?? '', username: row.username ?? '' },
    duration: row.duration,
    width: row.width,
    height: row.height,
    status: row.status,
  });

  return {
    async feed(from, limit) {
      const page = { ...from, limit: limit + 1 };
      const rows = await ask(({ feedAt, feedAfter }) => ('offset' in page ? feedAt(page) : feedAfter(page)));
      const found = rows.filter((row): row is typeof row & ViewRow => row.id !== null);
      const videos = found.slice(0, limit).map(toView);
      return { videos, total: Number(rows[0]?.total ?? 0), next: found.length > limit ? videos.at(-1)?.id : undefined };
    },

    async byId(videoId) {
      const [row] = await ask(({ withNeighbours }) => withNeighbours({ videoId }));
      return row && { video: toView(row), revision: row.revision, prev: row.prev, next: row.next };
    },

    async ofOwner(userId) {
      return (await ask(({ videosOf }) => videosOf({ userId }))).map(toView);
    },

    async isLiked(videoId, userId) {
      const row = await db
        .selectFrom('likes.likes')
        .select('liked')
        .where('user_id', '=', userId)
        .where('video_id', '=', videoId)
        .executeTakeFirst();
      return row?.liked === true;
    },

    async counts(videoId) {
      const [row] = await ask(({ countsOfVideo }) => countsOfVideo({ videoId }));
      return countsOf(row);
    },
  };
}
