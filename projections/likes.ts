import type { RecordedEvent } from '../src/core/event.ts';
import type { LikeEvent } from '../src/features/likes/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import { boolean, integer, table, timestamptz, uuid, type NewRow } from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';
import { streamSubject } from './streamSubject.ts';

/** Who likes what: one row for each pair of user and video. */
const likesTable = table(
  'likes',
  {
    user_id: uuid,
    video_id: uuid,
    /** False after the like was taken back; the row stays. */
    liked: boolean,
    /** Revision of the pair's stream. */
    revision: integer,
    updated_at: timestamptz,
  },
  { primaryKey: ['user_id', 'video_id'] },
);

/** Who likes what. The number of likes of a video is in the projection `videos`. */
export const likes = defineProjection({
  name: 'likes',
  version: 1,
  tables: [likesTable],
  handles: ['VideoLiked', 'VideoUnliked'],
  independentBy: streamSubject,

  async apply(events: readonly RecordedEvent<LikeEvent>[], db) {
    const pairs = new Map<string, NewRow<typeof likesTable>>();
    for (const event of events) {
      const { userId, videoId, at } = event.data;
      const liked = event.type === 'VideoLiked';
      pairs.set(event.stream, { user_id: userId, video_id: videoId, liked, revision: event.revision, updated_at: at });
    }
    await upsert(db, likesTable, [...pairs.values()], { onlyIfGreater: 'revision' });
  },
});
