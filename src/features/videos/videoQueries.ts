import type { Kysely } from 'kysely';
import type { VideoRow } from '../../../projections/videos/tables.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { videos as videosProjection } from '../../../projections/videos/videos.ts';
import { validationFailed, type DomainError } from '../../core/errors.ts';
import { gatherLookUps, gatherReads } from '../../postgres/gatheredReads.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import {
  addedColumns,
  countColumns,
  MOST_BY_PAGE,
  videoStatements,
  type PageRow,
  type VideoStatements,
  type ViewRow,
} from './videoStatements.ts';
import { countsOf, urlsOf, type MediaKeys, type MediaUrls, type VideoCounts, type VideoView } from './videoView.ts';

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
  /** Whether a moderator hides it: only its owner may see it. */
  readonly isHidden: boolean;
  /** Ids of the next older and the next newer video of the feed. */
  readonly prev: string | null;
  readonly next: string | null;
}

/** A video as its owner sees it. */
export interface OwnVideo {
  readonly video: VideoView;
  /** Why its processing failed; null unless it did. */
  readonly failure: string | null;
  /** What a moderator has decided; null unless the video is hidden or removed. */
  readonly moderation: VideoRow['moderation'];
}

export interface OwnPage {
  readonly videos: readonly OwnVideo[];
  /** How many videos there are on all pages. */
  readonly total: number;
  /** Id of the last video of this page; undefined when nothing comes after it. */
  readonly next: string | undefined;
}

/** The read model `videos`. Ids in questions must be UUIDs. */
export interface VideoQueries {
  /**
   * Newest first, only ready and public ones: after a number of videos, or older than the one with this id. With an
   * author, only those of this user.
   * @throws DomainError `validation_failed` for videos behind the first 10 000 by their number.
   */
  feed(
    from: { readonly offset: number } | { readonly olderThan: string },
    limit: number,
    authorId?: string,
  ): Promise<FeedPage>;
  /** A video of any status and visibility; undefined when it is deleted. */
  byId(videoId: string): Promise<VideoWithNeighbours | undefined>;
  /** Everything that a user has uploaded and that is not deleted, newest first, in any status. */
  ofOwner(userId: string): Promise<VideoView[]>;
  /**
   * A page of what a user has uploaded and not deleted, newest first, in this status or in any. What a moderator has
   * removed is in it, without files.
   */
  pageOfOwner(
    userId: string,
    page: {
      readonly status?: VideoView['status'] | undefined;
      readonly olderThan?: string | undefined;
      readonly limit: number;
    },
  ): Promise<OwnPage>;
  /** From the projection `likes`. */
  isLiked(videoId: string, userId: string): Promise<boolean>;
  /** What is counted of a video, for an answer that takes the rest from the video's stream. */
  counts(videoId: string): Promise<VideoCounts>;
  /** The name of a user; undefined while the read model does not have the user. */
  author(userId: string): Promise<VideoView['user'] | undefined>;
}

/** A single row is read so quickly that waiting costs more than gathering saves. Pages gain more from being gathered. */
const AT_ONCE = { atOnce: 3 };

export function createVideoQueries({
  db,
  urls,
}: {
  readonly db: Kysely<ReadModels>;
  readonly urls: MediaUrls;
}): VideoQueries {
  const prepared = new Map<string, VideoStatements>();
  /**
   * A count that the tables in place do not have yet is 0 in the answer. Tables that lack the columns of `videos` are older
   * than those columns, and so are the videos in them: all are public, and only the MP4 and the thumbnail are made.
   */
  const ask = <Result>(question: (statements: VideoStatements) => Promise<Result>): Promise<Result> =>
    askColumnsInPlace(db, { projection: videosProjection, table: 'videos', columns: addedColumns }, (added) =>
      askColumnsInPlace(db, { projection: videosProjection, table: 'counts', columns: countColumns }, (counts) => {
        const key = [...added, ...counts].join();
        const statements = prepared.get(key) ?? videoStatements(db, { added, counts });
        prepared.set(key, statements);
        return question(statements);
      }),
    );

  const toView = (row: ViewRow): VideoView => ({
    id: row.id,
    title: row.title,
    description: row.description,
    ...urlsOf(keysOf(row), row.files_access ?? 'public', urls),
    ...countsOf(row),
    uploadedBy: row.owner_id,
    createdAt: isoOf(row.created_at),
    updatedAt: isoOf(row.updated_at),
    user: { name: row.name ?? '', username: row.username ?? '' },
    duration: row.duration,
    width: row.width,
    height: row.height,
    status: row.status,
    visibility: row.visibility ?? 'public',
  });

  interface Page {
    total: number;
    readonly videos: VideoView[];
  }

  /** @param count how many pages the rows are of */
  const pagesOf = (rows: readonly PageRow[], count: number): Page[] => {
    const pages = Array.from({ length: count }, (): Page => ({ total: 0, videos: [] }));
    for (const row of rows) {
      const page = pages[Number(row.place) - 1]!;
      page.total = Number(row.total);
      if (row.id !== null) page.videos.push(toView(row as ViewRow));
    }
    return pages;
  };

  const pageAfter = gatherReads(async (asked: readonly { readonly olderThan: string; readonly most: number }[]) => {
    const lists = { olderThan: asked.map(({ olderThan }) => olderThan), most: asked.map(({ most }) => most) };
    return pagesOf(await ask(({ pagesAfter }) => pagesAfter(lists)), asked.length);
  });
  const pageOfAuthorAfter = async (authorId: string, olderThan: string, most: number): Promise<Page> => {
    const lists = { authorId: [authorId], olderThan: [olderThan], most: [most] };
    return pagesOf(await ask(({ pagesOfAuthorAfter }) => pagesOfAuthorAfter(lists)), 1)[0]!;
  };
  const pageOfAuthorAt = async (authorId: string, skip: number, most: number): Promise<Page> => {
    const lists = { authorId: [authorId], skip: [skip], most: [most] };
    return pagesOf(await ask(({ pagesOfAuthorAt }) => pagesOfAuthorAt(lists)), 1)[0]!;
  };
  const pageAt = gatherReads(async (asked: readonly { readonly skip: number; readonly most: number }[]) => {
    const lists = { skip: asked.map(({ skip }) => skip), most: asked.map(({ most }) => most) };
    return pagesOf(await ask(({ pagesAt }) => pagesAt(lists)), asked.length);
  });

  const video = gatherLookUps(async (ids) => {
    const rows = await ask(({ withNeighbours }) => withNeighbours({ id: ids }));
    return new Map(
      rows.map((row) => {
        const { revision, prev, next } = row;
        return [row.id, { video: toView(row), revision, prev, next, isHidden: row.moderation === 'hidden' }];
      }),
    );
  }, AT_ONCE);

  const liked = gatherReads(async (pairs: readonly { readonly videoId: string; readonly userId: string }[]) => {
    const rows = await ask(({ likedPairs }) =>
      likedPairs({ videoId: pairs.map(({ videoId }) => videoId), userId: pairs.map(({ userId }) => userId) }),
    );
    const places = new Set(rows.map(({ place }) => Number(place)));
    return pairs.map((_, index) => places.has(index + 1));
  }, AT_ONCE);

  return {
    async feed(from, limit, authorId) {
      const most = limit + 1;
      const after = (olderThan: string): Promise<Page> =>
        authorId === undefined ? pageAfter({ olderThan, most }) : pageOfAuthorAfter(authorId, olderThan, most);
      const at = (skip: number, most: number): Promise<Page> =>
        authorId === undefined ? pageAt({ skip, most }) : pageOfAuthorAt(authorId, skip, most);
      if ('olderThan' in from) return pageOf(await after(from.olderThan), limit);
      const { offset } = from;
      if (offset + limit <= MOST_BY_PAGE) return pageOf(await at(offset, most), limit);
      const { total } = await at(0, 0);
      if (offset < total) throw pageTooFar();
      return { videos: [], total, next: undefined };
    },
    byId: (videoId) => video(videoId),
    ofOwner: async (userId) => (await ask(({ ofOwner }) => ofOwner({ userId }))).map(toView),
    async pageOfOwner(userId, { status, olderThan, limit }) {
      const scope = { userId, status: status ?? null };
      const rows = await ask(({ pageOfOwner }) =>
        pageOfOwner({ ...scope, olderThan: olderThan ?? null, most: limit + 1 }),
      );
      const [counted] = await ask(({ countOfOwner }) => countOfOwner(scope));
      const videos = rows
        .slice(0, limit)
        .map((row) => ({
          video: { ...toView(row), ...(row.moderation === 'removed' && noUrls) },
          failure: row.failure,
          moderation: row.moderation ?? null,
        }));
      const next = rows.length > limit ? videos.at(-1)?.video.id : undefined;
      return { videos, total: Number(counted?.total ?? 0), next };
    },
    isLiked: (videoId, userId) => liked({ videoId, userId }),
    async counts(videoId) {
      const [row] = await ask(({ countsOfVideo }) => countsOfVideo({ videoId }));
      return countsOf(row);
    },
    author: (userId) =>
      db.selectFrom('videos.authors').select(['name', 'username']).where('user_id', '=', userId).executeTakeFirst(),
  };
}

function keysOf(row: ViewRow): MediaKeys {
  return {
    url: row.video_key,
    thumbnailUrl: row.thumbnail_key,
    hlsUrl: row.hls_key ?? null,
    storyboardUrl: row.storyboard_key ?? null,
    previewUrl: row.preview_key ?? null,
  };
}

/** The files of a removed video no longer exist. */
const noUrls: MediaKeys = { url: null, thumbnailUrl: null, hlsUrl: null, storyboardUrl: null, previewUrl: null };

/** Cuts off the video that only tells that more come after. */
function pageOf({ total, videos }: { readonly total: number; readonly videos: VideoView[] }, limit: number): FeedPage {
  const shown = videos.slice(0, limit);
  return { videos: shown, total, next: videos.length > limit ? shown.at(-1)?.id : undefined };
}

function pageTooFar(): DomainError {
  const message = `page must not lead behind the first ${MOST_BY_PAGE} videos: read on with cursor, the nextCursor of the page before`;
  return validationFailed([{ path: 'page', message }]);
}

/** `2025-07-31 18:00:00.12` in ISO 8601, with milliseconds. */
function isoOf(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, 23).padEnd(3, '0')}Z`;
}
