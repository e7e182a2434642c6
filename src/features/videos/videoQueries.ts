import type { Kysely } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { videos as videosProjection } from '../../../projections/videos/videos.ts';
import { validationFailed, type DomainError } from '../../core/errors.ts';
import { gatherLookUps, gatherReads } from '../../postgres/gatheredReads.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import {
  countColumns,
  MOST_BY_PAGE,
  videoStatements,
  type PageRow,
  type VideoStatements,
  type ViewRow,
} from './videoStatements.ts';
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
  /**
   * Newest first, only ready ones: after a number of videos, or older than the one with this id.
   * @throws DomainError `validation_failed` for videos behind the first 10 000 by their number.
   */
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
  /** A count that the tables in place do not have yet is 0 in the answer. */
  const ask = <Result>(question: (statements: VideoStatements) => Promise<Result>): Promise<Result> =>
    askColumnsInPlace(db, { projection: videosProjection, table: 'counts', columns: countColumns }, (columns) => {
      const key = columns.join();
      const statements = prepared.get(key) ?? videoStatements(db, columns);
      prepared.set(key, statements);
      return question(statements);
    });

  const toView = (row: ViewRow): VideoView => ({
    id: row.id,
    title: row.title,
    description: row.description,
    url: row.video_key && urls.url(row.video_key),
    thumbnailUrl: row.thumbnail_key && urls.url(row.thumbnail_key),
    ...countsOf(row),
    uploadedBy: row.owner_id,
    createdAt: isoOf(row.created_at),
    updatedAt: isoOf(row.updated_at),
    user: { name: row.name ?? '', username: row.username ?? '' },
    duration: row.duration,
    width: row.width,
    height: row.height,
    status: row.status,
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
  const pageAt = gatherReads(async (asked: readonly { readonly skip: number; readonly most: number }[]) => {
    const lists = { skip: asked.map(({ skip }) => skip), most: asked.map(({ most }) => most) };
    return pagesOf(await ask(({ pagesAt }) => pagesAt(lists)), asked.length);
  });

  const video = gatherLookUps(async (ids) => {
    const rows = await ask(({ withNeighbours }) => withNeighbours({ id: ids }));
    return new Map(
      rows.map((row) => [row.id, { video: toView(row), revision: row.revision, prev: row.prev, next: row.next }]),
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
    async feed(from, limit) {
      const most = limit + 1;
      if ('olderThan' in from) return pageOf(await pageAfter({ ...from, most }), limit);
      const { offset } = from;
      if (offset + limit <= MOST_BY_PAGE) return pageOf(await pageAt({ skip: offset, most }), limit);
      const { total } = await pageAt({ skip: 0, most: 0 });
      if (offset < total) throw pageTooFar();
      return { videos: [], total, next: undefined };
    },
    byId: (videoId) => video(videoId),
    ofOwner: async (userId) => (await ask(({ ofOwner }) => ofOwner({ userId }))).map(toView),
    isLiked: (videoId, userId) => liked({ videoId, userId }),
    async counts(videoId) {
      const [row] = await ask(({ countsOfVideo }) => countsOfVideo({ videoId }));
      return countsOf(row);
    },
  };
}

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
