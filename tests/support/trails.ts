import { sql } from 'kysely';
import type pg from 'pg';
import type { RecordedEvent } from '../../src/core/event.ts';
import type { VideoViewed } from '../../src/features/views/events.ts';
import { projectionConsumer, type Consumer } from '../../src/projecting/consumer.ts';
import { defineProjection } from '../../src/projecting/projection.ts';
import { table, text } from '../../src/projecting/tables/table.ts';

const trail = table('trail', { stream: text, viewers: text }, { primaryKey: ['stream'] });

/**
 * Writes down the viewers of each stream of views, in the order in which they are applied: shows what was applied twice,
 * lost, or out of order. `refuse` is asked at each try.
 */
export function trails({ refuse = (_viewer: string): boolean => false, version = 1 } = {}): Consumer {
  const projection = defineProjection({
    name: 'trails',
    version,
    tables: [trail],
    handles: ['VideoViewed'],
    async apply(events: readonly RecordedEvent<VideoViewed>[], db) {
      for (const { stream, data } of events) {
        if (refuse(data.viewer)) throw new Error(`cannot apply ${data.viewer}`);
        await db
          .insertInto('trail')
          .values({ stream, viewers: data.viewer })
          .onConflict((conflict) =>
            conflict
              .column('stream')
              .doUpdateSet({ viewers: sql<string>`concat_ws(' ', trail.viewers, excluded.viewers)` }),
          )
          .execute();
      }
    },
  });
  return projectionConsumer(projection, undefined);
}

/** The viewers of each stream, in the order in which they were applied. */
export async function trailsOf(pool: pg.Pool): Promise<Record<string, string[]>> {
  const { rows } = await pool.query<{ stream: string; viewers: string }>('select stream, viewers from trails.trail');
  return Object.fromEntries(rows.map(({ stream, viewers }) => [stream, viewers.split(' ')]));
}
