import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Analytics, Answer } from '../../../tests/support/systemClient.ts';
import type { ReelStreamEvent } from '../index.ts';

let features: FeaturesTest;
let owner: FeatureUser;
let last = 0n;
beforeAll(async () => {
  features = await startFeatures();
});
beforeEach(async () => {
  owner = await features.user('Owner');
});
afterAll(async () => features[Symbol.asyncDispose]());

const analytics = (query = '', user = owner): Promise<Answer<Analytics>> =>
  features.call('GET', `/api/v1/analytics${query}`, { token: user.token, after: last });

async function happens(stream: string, ...events: ReelStreamEvent[]): Promise<void> {
  last = await features.projecting.append(stream, ...events);
}

const facts = { duration: 1, width: 2, height: 2 };
const object = { key: 'k', size: 1 };
async function uploadedOn(day: string, title = 'A clip', { by = owner, processed = true } = {}): Promise<string> {
  const videoId = v7();
  const at = `${day}T23:59:59.999Z`;
  await happens(`video-${videoId}`, {
    type: 'VideoUploaded',
    data: { videoId, ownerId: by.id, title, description: '', original: object, facts, visibility: 'public', at },
  });
  const end = { videoId, ownerId: by.id, at };
  if (processed)
    await happens(`video-${videoId}`, {
      type: 'VideoProcessed',
      data: { ...end, video: object, thumbnail: object, facts },
    });
  else await happens(`video-${videoId}`, { type: 'VideoProcessingFailed', data: { ...end, reason: 'It is damaged.' } });
  return videoId;
}

async function viewedOn(day: string, videoId: string, times = 1, by = owner): Promise<void> {
  const events = Array.from({ length: times }, (): ReelStreamEvent => ({
    type: 'VideoViewed',
    data: { videoId, ownerId: by.id, viewer: `user:${v7()}`, at: `${day}T00:00:00.000Z` },
  }));
  await happens(`views-${videoId}_${day}`, ...events);
}

async function likedOn(
  day: string,
  videoId: string,
  type: 'VideoLiked' | 'VideoUnliked' = 'VideoLiked',
  userId = v7(),
): Promise<string> {
  await happens(`like-${videoId}_${userId}`, {
    type,
    data: { videoId, userId, ownerId: owner.id, at: `${day}T12:00:00.000Z` },
  });
  return userId;
}

describe('analytics', () => {
  test('count by the day on which it happened, both ends included, in UTC', async () => {
    const id = await uploadedOn('2025-01-31');
    for (const day of ['2025-01-31', '2025-02-01', '2025-02-28', '2025-03-01']) await viewedOn(day, id, 2);
    await likedOn('2025-02-01', id);
    await likedOn('2025-03-01', id);
    expect((await analytics('?startDate=2025-02-01&endDate=2025-02-31')).data).toMatchObject({
      totalViews: 4,
      totalLikes: 1,
      totalUploads: 0,
      viewsOverTime: [
        { date: '2025-02-01', count: 2 },
        { date: '2025-02-28', count: 2 },
      ],
      likesOverTime: [{ date: '2025-02-01', count: 1 }],
      topVideos: [{ id, title: 'A clip', viewCount: 4, likeCount: 1 }],
      engagementRate: 25,
    });
    expect((await analytics('?startDate=2025-01-31&endDate=2025-01-31')).data).toMatchObject({
      totalViews: 2,
      totalUploads: 1,
      totalLikes: 0,
    });
  });

  test('without dates cover all days, as the original server’s profile page asks', async () => {
    const id = await uploadedOn('2001-01-01');
    await viewedOn('2024-05-05', id);
    await viewedOn('2030-01-01', id);
    expect((await analytics()).data).toMatchObject({ totalUploads: 1, totalViews: 2 });
    expect((await analytics('?endDate=2024-05-05')).data).toMatchObject({ totalUploads: 1, totalViews: 1 });
    expect((await analytics('?startDate=2024-05-06')).data).toMatchObject({ totalUploads: 0, totalViews: 1 });
  });

  test('count an upload that failed neither as one nor among the top', async () => {
    await uploadedOn('2025-01-01', 'failed', { processed: false });
    const id = await uploadedOn('2025-01-01', 'fine');
    expect((await analytics()).data).toMatchObject({
      totalUploads: 1,
      topVideos: [{ id, title: 'fine', viewCount: 0, likeCount: 0 }],
    });
  });

  test('take an unlike off on the day of the unlike', async () => {
    const id = await uploadedOn('2025-01-01');
    const fan = await likedOn('2025-01-01', id);
    await likedOn('2025-01-01', id);
    await likedOn('2025-01-02', id, 'VideoUnliked', fan);
    expect((await analytics('?startDate=2025-01-01&endDate=2025-01-02')).data).toMatchObject({
      totalLikes: 1,
      likesOverTime: [
        { date: '2025-01-01', count: 2 },
        { date: '2025-01-02', count: -1 },
      ],
    });
    expect((await analytics('?startDate=2025-01-02&endDate=2025-01-02')).data.totalLikes).toBe(-1);
  });

  test('leave out days on which likes and unlikes make nothing', async () => {
    const id = await uploadedOn('2025-01-01');
    const fan = await likedOn('2025-01-03', id);
    await likedOn('2025-01-03', id, 'VideoUnliked', fan);
    expect((await analytics()).data).toMatchObject({
      totalLikes: 0,
      likesOverTime: [],
      viewsOverTime: [],
      engagementRate: 0,
    });
  });

  test('name five videos, by views and then by likes in the range, by their titles now, deleted ones left out', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.push(await uploadedOn('2025-01-01', `clip ${index}`));
    for (const [index, id] of ids.entries()) await viewedOn('2025-01-02', id, index < 2 ? 3 : index + 3);
    await likedOn('2025-01-02', ids[0]!);
    await viewedOn('2025-01-03', ids[1]!, 50);
    const at = '2025-01-04T00:00:00.000Z';
    await happens(`video-${ids[6]!}`, {
      type: 'VideoDeleted',
      data: { videoId: ids[6]!, ownerId: owner.id, wasPublic: true, at },
    });
    await happens(`video-${ids[5]!}`, {
      type: 'VideoDetailsChanged',
      data: { videoId: ids[5]!, ownerId: owner.id, title: 'renamed', description: '', at },
    });
    const { data } = await analytics('?startDate=2025-01-02&endDate=2025-01-02');
    expect(data.topVideos.map(({ title, viewCount, likeCount }) => [title, viewCount, likeCount])).toEqual([
      ['renamed', 8, 0],
      ['clip 4', 7, 0],
      ['clip 3', 6, 0],
      ['clip 2', 5, 0],
      ['clip 0', 3, 1],
    ]);
    expect(data.totalViews).toBe(3 + 3 + 5 + 6 + 7 + 8 + 9);
  });

  test('are the caller’s own, and of one video if that is asked', async () => {
    const other = await features.user('Other');
    const mine = await uploadedOn('2025-01-01');
    const second = await uploadedOn('2025-01-01');
    const theirs = await uploadedOn('2025-01-01', 'Theirs', { by: other });
    await viewedOn('2025-01-01', mine, 2);
    await viewedOn('2025-01-01', second, 3);
    await viewedOn('2025-01-01', theirs, 4, other);
    expect((await analytics()).data).toMatchObject({ totalViews: 5, totalUploads: 2 });
    expect((await analytics(`?videoId=${mine}`)).data).toMatchObject({
      totalViews: 2,
      totalUploads: 1,
      topVideos: [{ id: mine }],
    });
    expect((await analytics(`?videoId=${theirs}`)).data).toMatchObject({ totalViews: 0, topVideos: [] });
    expect((await analytics('', other)).data).toMatchObject({ totalViews: 4, totalUploads: 1 });
  });

  test('agree with themselves in every answer, while views arrive', async () => {
    const ids = [await uploadedOn('2025-01-01'), await uploadedOn('2025-01-01')];
    const views = Array.from({ length: 150 }, (_, round) => ids[round % 2]!);
    let isOver = false;
    const watching = (async () => {
      for (const id of views) await viewedOn('2025-01-01', id);
    })().finally(() => (isOver = true));
    const differences = new Set<number>();
    while (!isOver) {
      const { data } = await features.call<Analytics>('GET', '/api/v1/analytics', { token: owner.token });
      differences.add(data.topVideos.reduce((sum, { viewCount }) => sum + viewCount, -data.totalViews));
    }
    await watching;
    expect([...differences]).toEqual([0]);
    expect((await analytics()).data.totalViews).toBe(views.length);
  });

  test('say under which rule views were counted', async () => {
    expect((await analytics()).body.meta).toEqual({ rule: 'counted' });
  });

  test('do not round the engagement rate', async () => {
    const id = await uploadedOn('2025-01-01');
    await viewedOn('2025-01-01', id, 3);
    await likedOn('2025-01-01', id);
    expect((await analytics()).data.engagementRate).toBe((1 / 3) * 100);
  });

  test.each([
    ['startDate=2025-13-01', 'startDate'],
    ['endDate=tomorrow', 'endDate'],
    ['startDate=2025-02-02&endDate=2025-02-01', 'startDate'],
    ['startDate=2025-01-01&startDate=2025-01-02', 'startDate'],
    ['videoId=x', 'videoId'],
  ])('are refused for ?%s', async (query, path) => {
    const { status, body } = await analytics(`?${query}`);
    expect([status, body.code, body.errorMessages?.map((message) => message.path)]).toEqual([
      400,
      'validation_failed',
      [path],
    ]);
  });

  test('are for those who are logged in', async () => {
    expect((await features.call('GET', '/api/v1/analytics')).status).toBe(401);
  });
});
