import {
  sql,
  type AliasedExpression,
  type Expression,
  type InferResult,
  type Kysely,
  type RawBuilder,
  type SelectQueryBuilder,
} from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { counted, type Counted } from '../../../projections/videoCounts.ts';
import type { VideoRow } from '../../../projections/videos/tables.ts';
import { asked, preparedQuery, type Argument, type Lists } from '../../postgres/preparedQuery.ts';

export type CountColumn = `${Counted}_count`;
export const countColumns = counted.map((what): CountColumn => `${what}_count`);

/** Columns that tables of version 1 do not have. */
const addedToViews = ['visibility', 'files_access', 'hls_key', 'storyboard_key', 'preview_key'] as const;
export const addedColumns = [...addedToViews, 'moderation'] as const;
export type AddedColumn = (typeof addedColumns)[number];

/** Those of the columns that the tables in place have. */
export interface ColumnsInPlace {
  readonly counts: readonly CountColumn[];
  readonly added: readonly AddedColumn[];
}

/** How many videos from the newest on can be reached by the number of a page. Those before them cost time. */
export const MOST_BY_PAGE = 10_000;
/** A page of 100 videos, and the one that tells whether any come after. */
const LONGEST_PAGE = 101;

export type VideoStatements = ReturnType<typeof videoStatements>;
export type PageRow = Awaited<ReturnType<VideoStatements['pagesAfter']>>[number];
export type ViewRow = InferResult<ReturnType<typeof view>>[number];

/** Whose videos, and in which status; null: in any. */
interface OwnScope {
  readonly userId: string;
  readonly status: string | null;
}

interface OwnPlace {
  readonly olderThan: string | null;
  readonly most: number;
}

type Videos = SelectQueryBuilder<ReadModels, 'videos.videos', VideoRow>;

/**
 * Counts and authors are in rows of their own, which may not exist yet. `limit 1` makes PostgreSQL look each of them up: a
 * join it may also answer by reading the whole table, since it plans for pages of unknown length.
 */
function view(db: Kysely<ReadModels>, videos: AliasedExpression<VideoRow, 'v'>, { counts, added }: ColumnsInPlace) {
  return db
    .selectFrom(videos)
    .leftJoinLateral(
      (eb) => eb.selectFrom('videos.counts').selectAll().whereRef('video_id', '=', 'v.id').limit(sql.lit(1)).as('c'),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (eb) =>
        eb.selectFrom('videos.authors').selectAll().whereRef('user_id', '=', 'v.owner_id').limit(sql.lit(1)).as('a'),
      (join) => join.onTrue(),
    )
    .select([
      'v.id',
      'v.title',
      'v.description',
      'v.video_key',
      'v.thumbnail_key',
      'v.owner_id',
      inUtc('v.created_at').as('created_at'),
      inUtc('v.updated_at').as('updated_at'),
      'v.duration',
      'v.width',
      'v.height',
      'v.status',
      'v.revision',
      'v.failure',
      ...addedToViews.filter((column) => added.includes(column)).map((column) => `v.${column}` as const),
      ...counts.map((column) => `c.${column}` as const),
      'a.name',
      'a.username',
    ]);
}

/** As text, `2025-07-31 18:00:00.12`: making a Date of it and text of that costs as much as the rest of a row. */
const inUtc = (column: string): RawBuilder<string> => sql<string>`(${sql.ref(column)} at time zone 'UTC')::text`;

/** The prepared statements of the read model `videos`, with these columns. Each answers many questions at once. */
export function videoStatements(db: Kysely<ReadModels>, columns: ColumnsInPlace) {
  const existing = (): Videos => db.selectFrom('videos.videos').selectAll().where('deleted_at', 'is', null);
  /** The conditions are part of the text: a prepared statement uses the index of the feed only if it can see them. */
  const listed = (): Videos =>
    existing()
      .where('status', '=', sql.lit('ready'))
      .$if(columns.added.includes('visibility'), (videos) => videos.where('visibility', '=', sql.lit('public')))
      .$if(columns.added.includes('moderation'), (videos) => videos.where('moderation', 'is', null));
  const moderation = columns.added.includes('moderation') ? (['v.moderation'] as const) : [];
  const column = <Value>(name: string): Expression<Value> => sql.ref<Value>(name);

  const neighbour = (side: '<' | '>') =>
    db
      .selectFrom(listed().as('n'))
      .select('n.id')
      .where('n.id', side, column<string>('v.id'))
      .orderBy('n.id', side === '<' ? 'desc' : 'asc')
      .limit(sql.lit(1));

  const ofAuthor = (): Videos => listed().where('owner_id', '=', column<string>('asked.authorId'));
  const totalOfFeed = () => db.selectFrom('videos.totals').select('ready as total');
  const totalOfAuthor = () =>
    ofAuthor()
      .clearSelect()
      .select(({ fn }) => fn.countAll<bigint>().as('total'));

  /** The rows of a page, and its total. A page has one row also when it is empty. */
  const withTotal = (
    asked: AliasedExpression<{ place: bigint; most: number }, 'asked'>,
    videos: AliasedExpression<VideoRow, 'v'>,
    total: Expression<unknown>,
  ) =>
    db
      .selectFrom(asked)
      .leftJoinLateral(view(db, videos, columns).as('page'), (join) => join.onTrue())
      .select(['asked.place', sql<bigint | null>`${total}`.as('total')])
      .selectAll('page')
      .orderBy('asked.place')
      .orderBy('page.id', 'desc');

  // A limit in the text, beside the one that is asked for, tells PostgreSQL how short pages are.
  const pageAfter = (scope: Videos) => {
    const videos = scope
      .where('id', '<', column<string>('asked.olderThan'))
      .orderBy('id', 'desc')
      .limit(sql.lit(LONGEST_PAGE));
    const page = db.selectFrom(videos.as('l')).selectAll().orderBy('id', 'desc').limit(column<number>('asked.most'));
    return page.as('v');
  };
  const pagesAfter = preparedQuery(db, (argument: Argument<Lists<typeof afterColumns>>) =>
    withTotal(asked(argument, afterColumns), pageAfter(listed()), totalOfFeed()),
  );
  const pagesOfAuthorAfter = preparedQuery(db, (argument: Argument<Lists<typeof authorAfterColumns>>) =>
    withTotal(asked(argument, authorAfterColumns), pageAfter(ofAuthor()), totalOfAuthor()),
  );

  /** Passes over the videos before a page in the index of the feed, and reads only those of the page. */
  const pageAt = (scope: Videos) => {
    const ids = scope
      .clearSelect()
      .select('id')
      .orderBy('id', 'desc')
      .limit(sql.lit(MOST_BY_PAGE + LONGEST_PAGE));
    const page = db
      .selectFrom(ids.as('l'))
      .select('id')
      .orderBy('id', 'desc')
      .offset(column<number>('asked.skip'))
      .limit(column<number>('asked.most'));
    const videos = db
      .selectFrom(page.as('p'))
      .innerJoinLateral(existing().where('id', '=', column<string>('p.id')).limit(sql.lit(1)).as('found'), (join) =>
        join.onTrue(),
      );
    return videos.selectAll('found').as('v');
  };
  const pagesAt = preparedQuery(db, (argument: Argument<Lists<typeof atColumns>>) =>
    withTotal(asked(argument, atColumns), pageAt(listed()), totalOfFeed()),
  );
  const pagesOfAuthorAt = preparedQuery(db, (argument: Argument<Lists<typeof authorAtColumns>>) =>
    withTotal(asked(argument, authorAtColumns), pageAt(ofAuthor()), totalOfAuthor()),
  );

  const withNeighbours = preparedQuery(db, (argument: Argument<Lists<typeof idColumn>>) => {
    const video = existing().where('id', '=', column<string>('asked.id'));
    return db
      .selectFrom(asked(argument, idColumn))
      .innerJoinLateral(
        view(db, video.as('v'), columns)
          .select([neighbour('<').as('prev'), neighbour('>').as('next'), ...moderation])
          .as('video'),
        (join) => join.onTrue(),
      )
      .selectAll('video');
  });

  const ofOwner = preparedQuery(db, (argument: Argument<{ userId: string }>) =>
    view(db, existing().where('owner_id', '=', argument('userId')).as('v'), columns).orderBy('v.id', 'desc'),
  );

  /** What a moderator has removed stays in the list of its owner, with the reason. */
  const existingOrRemoved = (): Videos =>
    db
      .selectFrom('videos.videos')
      .selectAll()
      .where(({ or, eb }) =>
        or([
          eb('deleted_at', 'is', null),
          ...(columns.added.includes('moderation') ? [eb('moderation', '=', sql.lit('removed'))] : []),
        ]),
      );
  const ownIn = ({ userId, status }: Record<'userId' | 'status', Expression<unknown>>): Videos =>
    existingOrRemoved().where(sql<boolean>`owner_id = ${userId} and (${status}::text is null or status = ${status})`);
  const pageOfOwner = preparedQuery(db, (argument: Argument<OwnScope & OwnPlace>) => {
    const olderThan = argument('olderThan');
    const videos = ownIn({ userId: argument('userId'), status: argument('status') })
      .where(sql<boolean>`(${olderThan}::uuid is null or id < ${olderThan})`)
      .orderBy('id', 'desc')
      .limit(argument('most'));
    return view(db, videos.as('v'), columns).select(moderation).orderBy('v.id', 'desc');
  });
  const countOfOwner = preparedQuery(db, (argument: Argument<OwnScope>) =>
    ownIn({ userId: argument('userId'), status: argument('status') })
      .clearSelect()
      .select(({ fn }) => fn.countAll<bigint>().as('total')),
  );

  const countsOfVideo = preparedQuery(db, (argument: Argument<{ videoId: string }>) =>
    db
      .selectFrom('videos.counts as c')
      .select(columns.counts.map((count) => `c.${count}` as const))
      .where('c.video_id', '=', argument('videoId')),
  );

  const likedPairs = preparedQuery(db, (argument: Argument<Lists<typeof pairColumns>>) =>
    db
      .selectFrom(asked(argument, pairColumns))
      .innerJoinLateral(
        (eb) =>
          eb
            .selectFrom('likes.likes')
            .select('liked')
            .whereRef('likes.likes.user_id', '=', 'asked.userId')
            .whereRef('likes.likes.video_id', '=', 'asked.videoId')
            .limit(sql.lit(1))
            .as('l'),
        (join) => join.on('l.liked', '=', sql.lit(true)),
      )
      .select('asked.place'),
  );

  return {
    pagesAfter,
    pagesAt,
    pagesOfAuthorAfter,
    pagesOfAuthorAt,
    withNeighbours,
    ofOwner,
    pageOfOwner,
    countOfOwner,
    countsOfVideo,
    likedPairs,
  };
}

const afterColumns = { olderThan: 'uuid', most: 'int' } as const;
const atColumns = { skip: 'int', most: 'int' } as const;
const authorAfterColumns = { authorId: 'uuid', ...afterColumns } as const;
const authorAtColumns = { authorId: 'uuid', ...atColumns } as const;
const idColumn = { id: 'uuid' } as const;
const pairColumns = { videoId: 'uuid', userId: 'uuid' } as const;
