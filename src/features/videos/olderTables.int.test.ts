import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Analytics, Video, VideoPage } from '../../../tests/support/systemClient.ts';

let features: FeaturesTest;
let ann: FeatureUser;
let videoId: string;

/** The tables that an older program left have no likes. Nothing writes to them while the newer ones are built. */
beforeAll(async () => {
  features = await startFeatures();
  ann = await features.user('Ann');
  videoId = await features.video(ann, { title: 'From before' });
  await features.call('PUT', `/api/v1/video/${videoId}/like`, { token: ann.token });
  await features.project(false);
  await features.projecting.pool.query('alter table videos.counts drop column like_count');
  await features.projecting.pool.query('alter table analytics.daily drop column likes');
});
afterAll(async () => features[Symbol.asyncDispose]());

test('the feed and a video are answered from tables that lack a count, with 0 for it', async () => {
  const feed = await features.call<Video[]>('GET', '/api/v1/video?limit=7');
  expect([feed.status, feed.data.map(({ title, likeCount }) => ({ title, likeCount }))]).toEqual([
    200,
    [{ title: 'From before', likeCount: 0 }],
  ]);
  const one = await features.call<VideoPage>('GET', `/api/v1/video/${videoId}`);
  expect([one.status, one.data.video.likeCount]).toEqual([200, 0]);
});

test('analytics are answered from tables that lack a number, with 0 for it', async () => {
  const { status, data } = await features.call<Analytics>('GET', '/api/v1/analytics', { token: ann.token });
  expect([status, data]).toMatchObject([200, { totalUploads: 1, totalLikes: 0, likesOverTime: [] }]);
  expect(data.topVideos).toMatchObject([{ id: videoId, likeCount: 0 }]);
});
