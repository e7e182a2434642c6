import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { v7 } from 'uuid';
import { timeline } from '../../../projections/timeline/timeline.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer } from '../../../tests/support/systemClient.ts';
import { projectionConsumer } from '../../projecting/consumer.ts';
import { rebuild } from '../../projecting/rebuilding/rebuild.ts';
import type { explainedSchema } from './explainRoute.ts';
import { counted } from './viewRules/index.ts';

type Explained = z.infer<typeof explainedSchema>;

const DAY = '2025-04-01';

let features: FeaturesTest;
let owner: FeatureUser;
let video: string;
beforeAll(async () => {
  features = await startFeatures();
});
beforeEach(async () => {
  owner = await features.user('Owner');
  video = await features.video(owner);
});
afterAll(async () => features[Symbol.asyncDispose]());

const explain = (query: string, user = owner): Promise<Answer<Explained>> =>
  features.call('GET', `/api/v1/analytics/explain?${query}`, { token: user.token });

const view = (videoId = video) => ({
  type: 'VideoViewed' as const,
  data: { videoId, ownerId: owner.id, viewer: `user:${v7()}`, at: `${DAY}T10:00:00.000Z` },
});

async function viewed(times: number, videoId = video): Promise<bigint> {
  const views = Array.from({ length: times }, () => view(videoId));
  const position = await features.projecting.append(`views-${videoId}_${DAY}`, ...views);
  await features.reached(position);
  return position;
}

async function liked(userId: string, type: 'VideoLiked' | 'VideoUnliked' = 'VideoLiked'): Promise<void> {
  const data = { videoId: video, userId, ownerId: owner.id, at: `${DAY}T12:00:00.000Z` };
  await features.reached(await features.projecting.append(`like-${video}_${userId}`, { type, data }));
}

/** All pages. */
async function pages(query: string): Promise<{ counts: (number | undefined)[]; events: Explained }> {
  const counts: (number | undefined)[] = [];
  const events: Explained = [];
  for (let cursor: string | null | undefined = ''; cursor !== null;) {
    const { body, data }: Answer<Explained> = await explain(query + (cursor === '' ? '' : `&cursor=${cursor}`));
    counts.push(body.meta?.count);
    events.push(...data);
    cursor = body.meta?.nextCursor ?? null;
  }
  return { counts, events };
}

describe('the events behind a number', () => {
  test('are listed in the order of the log, without the viewers', async () => {
    const last = await viewed(3);
    const { data, body, text } = await explain(`date=${DAY}&metric=views`);
    expect(data.map(({ position }) => BigInt(position))).toEqual([last - 2n, last - 1n, last]);
    expect(data[0]).toEqual({
      position: String(last - 2n),
      time: expect.stringMatching(/^\d{4}-.+Z$/) as unknown as string,
      type: 'VideoViewed',
      videoId: video,
      by: 1,
    });
    expect(body.meta).toEqual({ count: 3, nextCursor: null, rule: 'counted', position: String(last) });
    expect(text).not.toContain('user:');
  });

  test('of likes are likes and unlikes, and their count is net', async () => {
    const [one, other] = [v7(), v7()];
    await liked(one);
    await liked(other);
    await liked(one, 'VideoUnliked');
    const { data, body, text } = await explain(`date=${DAY}&metric=likes`);
    expect(data.map(({ type, by }) => [type, by])).toEqual([
      ['VideoLiked', 1],
      ['VideoLiked', 1],
      ['VideoUnliked', -1],
    ]);
    expect(body.meta?.count).toBe(1);
    expect(text).not.toContain(one);
  });

  test('of uploads are those that made the videos ready', async () => {
    await features.video(owner, { until: 'failed' });
    const today = new Date().toISOString().slice(0, 10);
    const { data, body } = await explain(`date=${today}&metric=uploads`);
    expect(data.map(({ type, videoId }) => [type, videoId])).toEqual([['VideoProcessed', video]]);
    expect(body.meta?.count).toBe(1);
  });

  test('come in pages about one position, whatever arrives meanwhile', async () => {
    await viewed(5);
    const { body, data } = await explain(`date=${DAY}&metric=views&limit=2`);
    await viewed(4);
    const cursor = body.meta!.nextCursor!;
    const second = await explain(`date=${DAY}&metric=views&limit=2&cursor=${cursor}`);
    const third = await explain(`date=${DAY}&metric=views&limit=2&cursor=${second.body.meta!.nextCursor!}`);
    expect([body, second.body, third.body].map(({ meta }) => meta?.count)).toEqual([5, 5, 5]);
    expect([data, second.data, third.data].map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(third.body.meta?.nextCursor).toBeNull();
    expect((await explain(`date=${DAY}&metric=views`)).body.meta?.count).toBe(9);
  });

  test('are as many as their count says, while views arrive', async () => {
    const second = await features.video(owner);
    let isOver = false;
    const arriving = (async () => {
      for (let round = 0; round < 60; round++)
        await features.projecting.append(
          `views-${round % 2 ? video : second}_${DAY}`,
          view(round % 2 ? video : second),
        );
    })().finally(() => (isOver = true));
    do {
      const { counts, events } = await pages(`date=${DAY}&metric=views&limit=7`);
      expect(new Set(counts)).toEqual(new Set([events.length]));
    } while (!isOver);
    await arriving;
    await viewed(1);
    expect((await pages(`date=${DAY}&metric=views&limit=7`)).events).toHaveLength(61);
    expect((await pages(`date=${DAY}&metric=views&videoId=${second}`)).events).toHaveLength(30);
  });

  test('are the same after a rebuild', async () => {
    await viewed(20);
    await liked(v7());
    const before = [await pages(`date=${DAY}&metric=views&limit=7`), await pages(`date=${DAY}&metric=likes`)];
    await features.project(false);
    await rebuild(features.projecting.of(projectionConsumer(timeline, { viewRule: counted })));
    await features.project(true);
    expect([await pages(`date=${DAY}&metric=views&limit=7`), await pages(`date=${DAY}&metric=likes`)]).toEqual(before);
  });

  test('as of a moment are those of that moment', async () => {
    await viewed(2);
    const { rows } = await features.projecting.pool.query<{ time: Date; position: bigint }>(
      'select time, position from reelstream.events order by position desc limit 1',
    );
    const { time, position } = rows[0]!;
    await viewed(3);
    const { body, data } = await explain(`date=${DAY}&metric=views&asOf=${time.toISOString()}`);
    if (body.meta?.position === String(position)) expect([body.meta.count, data.length]).toEqual([2, 2]);
    // Both appends within one millisecond.
    else expect([body.meta?.count, data.length]).toEqual([5, 5]);
  });

  test('are the caller’s own', async () => {
    await viewed(2);
    const other = await features.user('Other');
    for (const query of ['', `&videoId=${video}`]) {
      const { data, body } = await explain(`date=${DAY}&metric=views${query}`, other);
      expect([data, body.meta?.count]).toEqual([[], 0]);
    }
    expect((await features.call('GET', `/api/v1/analytics/explain?date=${DAY}&metric=views`)).status).toBe(401);
  });

  test.each([
    ['metric=views', 'date'],
    ['date=2025-13-01&metric=views', 'date'],
    [`date=${DAY}`, 'metric'],
    [`date=${DAY}&metric=shares`, 'metric'],
    [`date=${DAY}&metric=views&videoId=x`, 'videoId'],
    [`date=${DAY}&metric=views&limit=0`, 'limit'],
    [`date=${DAY}&metric=views&limit=1001`, 'limit'],
    [`date=${DAY}&metric=views&cursor=x`, 'cursor'],
    [`date=${DAY}&metric=views&cursor=5-9`, 'cursor'],
    [`date=${DAY}&metric=views&cursor=9999999999999999999-1`, 'cursor'],
    [`date=${DAY}&metric=views&cursor=999999999-1`, 'cursor'],
    [`date=${DAY}&metric=views&asOf=2999-01-01T00:00:00Z`, 'asOf'],
  ])('are refused for ?%s', async (query, path) => {
    const { status, body } = await explain(query);
    expect([status, body.code, body.errorMessages?.map((message) => message.path)]).toEqual([
      400,
      'validation_failed',
      [path],
    ]);
  });
});
