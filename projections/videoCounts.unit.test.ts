import { describe, expect, test } from '@jest/globals';
import { countsOf } from '../src/features/videos/videoView.ts';
import { analytics } from './analytics.ts';
import { countChanges, counted, countedEventTypes, eachCount, videoCounts } from './videoCounts.ts';
import { videos } from './videos/videos.ts';

describe('what is counted of a video', () => {
  test('changes by what the list says, and by nothing for other events', () => {
    const changes = ['VideoLiked', 'VideoUploaded', 'VideoUnliked', 'VideoViewed'].map(countChanges);
    expect(changes).toEqual([[{ what: 'like', by: 1 }], [], [{ what: 'like', by: -1 }], [{ what: 'view', by: 1 }]]);
  });

  test('is handled and has columns in the projections videos and analytics', () => {
    expect(countedEventTypes.toSorted()).toEqual(
      Object.values(videoCounts)
        .flatMap(({ on }) => Object.keys(on))
        .toSorted(),
    );
    for (const { handles } of [videos, analytics])
      expect(handles).toEqual(expect.arrayContaining([...countedEventTypes]));
    const columnsOf = (name: string) =>
      [...videos.tables, ...analytics.tables].find((table) => table.name === name)!.columns;
    expect(Object.keys(columnsOf('counts'))).toEqual(['video_id', ...counted.map((what) => `${what}_count`)]);
    expect(Object.keys(columnsOf('daily'))).toEqual(expect.arrayContaining(counted.map((what) => `${what}s`)));
  });

  test('is in the answer of a video under names of its own, zero without a row', () => {
    expect(countsOf({ view_count: 7n, like_count: null })).toMatchObject({ viewCount: 7, likeCount: 0 });
    expect(countsOf()).toEqual(eachCount('Count', () => 0));
  });
});
