import { sql, type Kysely } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { urlsOf, type MediaUrls } from '../videos/index.ts';
import { reportReasons, type ReportReason } from './events.ts';

export type ReportCounts = Record<ReportReason | 'total', number>;

/** A video as moderators see it. */
export interface ModeratedVideo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly uploadedBy: string;
  readonly user: { readonly name: string; readonly username: string };
  readonly createdAt: string;
  readonly status: 'processing' | 'ready' | 'failed';
  readonly visibility: 'public' | 'unlisted' | 'private';
  readonly state: 'visible' | 'hidden' | 'removed' | 'deleted';
  readonly url: string | null;
  readonly thumbnailUrl: string | null;
}

/** What the reporter wrote is in the log (`withText`). */
export interface Report {
  readonly videoId: string;
  readonly reporterId: string;
  readonly reason: ReportReason;
  readonly at: string;
}

export interface Case {
  readonly video: ModeratedVideo;
  readonly counts: ReportCounts;
  readonly isOpen: boolean;
  readonly lastDecision: { readonly decision: string; readonly by: string; readonly at: string } | null;
}

export interface ReportedVideo extends Case {
  readonly newest: Report;
}

/** `open`: some reports came after the last decision about the video. */
export type CaseState = 'open' | 'decided';

/** A page of something, and where the next one begins; undefined when nothing comes after it. */
export interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly next: bigint | undefined;
}

interface Place {
  /** The `next` of the page before. */
  readonly before: bigint | undefined;
  readonly limit: number;
}

/** The read model `moderation`. Ids in questions must be UUIDs. */
export interface ModerationQueries {
  /** Videos with reports, those with the newest one first. */
  queue(page: { readonly state: CaseState } & Place): Promise<PageOf<ReportedVideo>>;
  /** Number of videos with reports. */
  queueCounts(): Promise<Record<CaseState, number>>;
  /** Undefined for a video that does not exist. A video without reports has zeros. */
  caseOf(videoId: string): Promise<Case | undefined>;
  /** Newest first. */
  reportsOf(videoId: string, page: Place): Promise<PageOf<Report>>;
  numbersOf(userId: string): Promise<UserNumbers>;
}

export interface UserNumbers {
  readonly videos: { readonly total: number; readonly hidden: number; readonly removed: number };
  readonly reports: { readonly received: number; readonly open: number; readonly made: number };
}

export function createModerationQueries({
  db,
  urls,
}: {
  readonly db: Kysely<ReadModels>;
  readonly urls: MediaUrls;
}): ModerationQueries {
  const casesOfVideos = () =>
    db
      .selectFrom('videos.videos as v')
      .leftJoin('moderation.cases as c', 'c.video_id', 'v.id')
      .leftJoin('videos.authors as a', 'a.user_id', 'v.owner_id')
      .leftJoin('moderation.decisions as d', 'd.video_id', 'v.id')
      .selectAll('v')
      .select(['a.name', 'a.username', 'c.newest_report', 'c.decided', 'd.decision', 'd.decided_by', 'd.decided_at'])
      .select(reportReasons.map((reason) => `c.${reason}` as const));
  type Row = Awaited<ReturnType<ReturnType<typeof casesOfVideos>['execute']>>[number];

  function toCase(row: Row): Case {
    const counts = Object.fromEntries(reportReasons.map((reason) => [reason, Number(row[reason] ?? 0)]));
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const { decision, decided_by, decided_at } = row;
    return {
      video: toVideo(row),
      counts: { total, ...(counts as Record<ReportReason, number>) },
      isOpen: (row.newest_report ?? 0n) > (row.decided ?? 0n),
      lastDecision: decision === null ? null : { decision, by: decided_by!, at: decided_at!.toISOString() },
    };
  }

  function toVideo(row: Row): ModeratedVideo {
    const state = row.moderation ?? (row.deleted_at === null ? 'visible' : 'deleted');
    const hasFiles = row.deleted_at === null;
    const keys = { url: row.video_key, thumbnailUrl: row.thumbnail_key };
    const none = { hlsUrl: null, storyboardUrl: null, previewUrl: null };
    const { url, thumbnailUrl } = urlsOf({ ...keys, ...none }, row.files_access, urls);
    return {
      id: row.id,
      title: row.title,
      description: row.description,
      uploadedBy: row.owner_id,
      user: { name: row.name ?? '', username: row.username ?? '' },
      createdAt: row.created_at.toISOString(),
      status: row.status,
      visibility: row.visibility,
      // A hidden video that its owner has deleted stays marked as hidden in its row.
      state: state === 'hidden' && !hasFiles ? 'deleted' : state,
      url: hasFiles ? url : null,
      thumbnailUrl: hasFiles ? thumbnailUrl : null,
    };
  }

  const reports = () => db.selectFrom('moderation.reports').selectAll();
  type ReportRow = Awaited<ReturnType<ReturnType<typeof reports>['execute']>>[number];
  const toReport = ({ video_id, reporter_id, reason, reported_at }: ReportRow): Report => ({
    videoId: video_id,
    reporterId: reporter_id,
    reason,
    at: reported_at.toISOString(),
  });

  return {
    async queue({ state, before, limit }) {
      const rows = await casesOfVideos()
        .where(inState[state])
        .$if(before !== undefined, (query) => query.where('c.newest_report', '<', before!))
        .orderBy('c.newest_report', 'desc')
        .limit(limit + 1)
        .execute();
      const page = rows.slice(0, limit);
      const positions = page.map(({ newest_report }) => String(newest_report));
      const newest = await reports()
        .where('video_id', '=', (eb) => eb.fn.any(eb.val(page.map(({ id }) => id))))
        .where('position', '=', (eb) => eb.fn.any(sql<bigint[]>`${positions}::int8[]`))
        .execute();
      const byVideo = new Map(newest.map((row) => [row.video_id, toReport(row)]));
      const items = page.flatMap((row) => {
        const newest = byVideo.get(row.id);
        return newest === undefined ? [] : [{ ...toCase(row), newest }];
      });
      return { items, next: rows.length > limit ? page.at(-1)!.newest_report! : undefined };
    },
    async queueCounts() {
      const [open, decided] = await Promise.all([countCases(db, 'open'), countCases(db, 'decided')]);
      return { open, decided };
    },
    async caseOf(videoId) {
      const row = await casesOfVideos().where('v.id', '=', videoId).executeTakeFirst();
      return row && toCase(row);
    },
    async reportsOf(videoId, { before, limit }) {
      const rows = await reports()
        .where('video_id', '=', videoId)
        .$if(before !== undefined, (query) => query.where('position', '<', before!))
        .orderBy('position', 'desc')
        .limit(limit + 1)
        .execute();
      const page = rows.slice(0, limit);
      return { items: page.map(toReport), next: rows.length > limit ? page.at(-1)!.position : undefined };
    },
    async numbersOf(userId) {
      const [videos, received, made] = await Promise.all([
        db
          .selectFrom('videos.videos')
          .where('owner_id', '=', userId)
          .select([
            sql<bigint>`count(*) filter (where deleted_at is null)`.as('total'),
            sql<bigint>`count(*) filter (where deleted_at is null and moderation = 'hidden')`.as('hidden'),
            sql<bigint>`count(*) filter (where moderation = 'removed')`.as('removed'),
          ])
          .executeTakeFirstOrThrow(),
        db
          .selectFrom('moderation.cases as c')
          .where('c.owner_id', '=', userId)
          .where('c.newest_report', '>', 0n)
          .select([
            sql<bigint>`coalesce(sum(${sql.join(
              reportReasons.map((reason) => sql.ref(reason)),
              sql` + `,
            )}), 0)`.as('received'),
            sql<bigint>`count(*) filter (where newest_report > decided)`.as('open'),
          ])
          .executeTakeFirstOrThrow(),
        db
          .selectFrom('moderation.reports')
          .where('reporter_id', '=', userId)
          .select(({ fn }) => fn.countAll<bigint>().as('made'))
          .executeTakeFirstOrThrow(),
      ]);
      return {
        videos: { total: Number(videos.total), hidden: Number(videos.hidden), removed: Number(videos.removed) },
        reports: { received: Number(received.received), open: Number(received.open), made: Number(made.made) },
      };
    },
  };
}

/** Number of videos with reports. */
export async function countCases(db: Kysely<ReadModels>, state: CaseState): Promise<number> {
  const { count } = await db
    .selectFrom('moderation.cases as c')
    .where(inState[state])
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** As in the indexes of the table, so that PostgreSQL uses them. */
const inState: Record<CaseState, ReturnType<typeof sql<boolean>>> = {
  open: sql<boolean>`c.newest_report > c.decided`,
  decided: sql<boolean>`c.newest_report > 0 and c.newest_report <= c.decided`,
};
