import type pg from 'pg';
import type { RecordedEvent } from '../../src/core/event.ts';
import type { VideoViewed } from '../../src/features/views/events.ts';
import { projectionConsumer, type Consumer } from '../../src/projecting/consumer.ts';
import { defineProjection } from '../../src/projecting/projection.ts';
import { integer, table, uuid } from '../../src/projecting/tables/table.ts';
import { upsert } from '../../src/projecting/tables/upsert.ts';
import { asUuid } from './ids.ts';
import type { ProjectingTest } from './projecting.ts';

const seen = table('seen', { video_id: uuid, views: integer }, { primaryKey: ['video_id'] });

/** Counts views. It is not idempotent by itself, so its rows show whether events were applied twice or lost. */
export function countingViews(
  options: {
    version?: number;
    variant?: string;
    refuse?: (viewer: string) => boolean;
    factor?: number;
    /** Asks the database for each batch, before it writes. */
    reads?: boolean;
  } = {},
): Consumer {
  const projection = defineProjection({
    name: 'counting',
    version: options.version ?? 1,
    variant: () => options.variant ?? '',
    tables: [seen],
    handles: ['VideoViewed'],
    async apply(events: readonly RecordedEvent<VideoViewed>[], db) {
      const counts = new Map<string, number>();
      for (const { data } of events) {
        if (options.refuse?.(data.viewer) === true) throw new Error(`cannot apply ${data.viewer}`);
        counts.set(data.videoId, (counts.get(data.videoId) ?? 0) + (options.factor ?? 1));
      }
      const rows = [...counts].map(([video_id, views]) => ({ video_id, views }));
      if (options.reads === true) await db.selectFrom('seen').select('views').execute();
      await upsert(db, seen, rows, { add: ['views'] });
    },
  });
  return projectionConsumer(projection, undefined);
}

export function viewed(video: number, viewer = 'user:1'): VideoViewed {
  return {
    type: 'VideoViewed',
    data: { videoId: asUuid('video', video), ownerId: asUuid('user', 1), viewer, at: '2025-01-30T12:00:00.000Z' },
  };
}

export const viewsOf = (video: number): string => `views-${asUuid('video', video)}_2025-01-30`;

/** Appends views of `videos` videos in turn, all at the same time. Returns the last position. */
export async function manyViews(t: ProjectingTest, count: number, videos = 5): Promise<bigint> {
  const positions = await Promise.all(
    Array.from({ length: count }, (_, n) => t.append(viewsOf(n % videos), viewed(n % videos))),
  );
  return positions.reduce((most, position) => (position > most ? position : most));
}

/** The counts in the rows of the projection, by the number of the video. */
export async function countedViews(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ video_id: string; views: number }>('select * from counting.seen');
  return Object.fromEntries(rows.map(({ video_id, views }) => [Number.parseInt(video_id.slice(-12), 16), views]));
}

/** The counts when each of the first `videos` videos has the same number of views. */
export function evenly(views: number, videos = 5): Record<string, number> {
  return Object.fromEntries(Array.from({ length: videos }, (_, n) => [n, views]));
}
