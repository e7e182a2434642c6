import { sql } from 'kysely';
import { timeline } from '../../../../projections/timeline/timeline.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { ReadYourWrites } from '../../../projecting/readYourWrites.ts';
import type { ApiContext } from '../../feature.ts';

/** Finds the place of a time in the log. */
export interface Moments {
  /**
   * The position of the last event that was recorded at or before the time. If the log's clock was set back, it is the
   * last one before the first event of `timeline` that was recorded after the time, so that a later time never has an
   * earlier position. Resolves when `timeline` has passed the position, so the rows up to it do not change any more.
   * @throws DomainError `projection_behind` after two seconds, `projection_rebuilding`
   */
  positionAt(time: Date, signal: AbortSignal): Promise<bigint>;
}

/** Events read at once. They are few: those of one range of the lowest level of `timeline.clock`. */
const PAGE = 512;
const handled = new Set<string>(timeline.handles);

export interface MomentsOptions extends Pick<ApiContext, 'db'> {
  readonly store: Pick<EventStore, 'head' | 'readAll'>;
  readonly readModels: Pick<ReadYourWrites, 'untilFresh'>;
}

export function createMoments({ db, store, readModels }: MomentsOptions): Moments {
  /** The events up to `after` were recorded at or before the time. One up to `until` was recorded after it, if there is any. */
  async function search(time: Date): Promise<{ after: bigint; until: bigint | undefined }> {
    // Kysely cannot use a limit in each step of a recursive query.
    const { rows } = await sql<{ after: bigint | null; until: bigint | null }>`
      with recursive down(level, range, last_position) as (
        (select level, range, last_position from timeline.clock
         where level = 32 and latest > ${time} order by range limit 1)
        union all
        select c.level, c.range, c.last_position from down, lateral (
          select level, range, last_position from timeline.clock
          where level = down.level - 8 and range between down.range * 256 and down.range * 256 + 255 and latest > ${time}
          order by range limit 1) c
      )
      select
        (select last_position from down where level = 8) as until,
        (select last_position from timeline.clock
         where level = 8 and range < coalesce((select range from down where level = 8), ${2n ** 62n})
         order by range desc limit 1) as after`.execute(db);
    const { after, until } = rows[0]!;
    return { after: after ?? 0n, until: until ?? undefined };
  }

  return {
    async positionAt(time, signal) {
      const passed = (minPosition: bigint): Promise<void> => readModels.untilFresh([timeline], { minPosition, signal });
      const head = (await search(time)).until ?? (await store.head());
      await passed(head);
      // What came in meanwhile may belong in between.
      const { after, until = head } = await search(time);
      let position = after;
      for await (const { events } of store.readAll({ after, until, batchSize: PAGE, signal })) {
        const later = events.findIndex((event) => event.time > time && handled.has(event.type));
        const last = (later === -1 ? events : events.slice(0, later)).findLast((event) => event.time <= time);
        position = last?.position ?? position;
        if (later !== -1) break;
      }
      await passed(position);
      return position;
    },
  };
}
