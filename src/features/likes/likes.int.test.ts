import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { counted } from '../analytics/index.ts';
import { readModelConsumers } from '../index.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer, Like, VideoPage } from '../../../tests/support/systemClient.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { VideoProcessed } from '../videos/events.ts';
import { likeStream, type LikeCommand } from './decider.ts';
import { createLikeCommands } from './likeCommands.ts';

let features: FeaturesTest;
let ann: FeatureUser;
let bob: FeatureUser;

beforeAll(async () => {
  features = await startFeatures();
  [ann, bob] = [await features.user('Ann'), await features.user('Bob')];
});
afterAll(async () => features[Symbol.asyncDispose]());

const toggle = (videoId: string, { token }: FeatureUser): Promise<Answer<Like>> =>
  features.call('POST', `/api/v1/video/${videoId}`, { token });
const put = (videoId: string, { token }: FeatureUser): Promise<Answer<Like>> =>
  features.call('PUT', `/api/v1/video/${videoId}/like`, { token });
const take = (videoId: string, { token }: FeatureUser): Promise<Answer<Like>> =>
  features.call('DELETE', `/api/v1/video/${videoId}/like`, { token });
const page = async (videoId: string, { token }: FeatureUser): Promise<VideoPage> =>
  (await features.call<VideoPage>('GET', `/api/v1/video/${videoId}`, { token })).data;

describe('a like', () => {
  test('is in the answer, and in what its giver reads next', async () => {
    const id = await features.video(ann);
    const liked = await toggle(id, bob);
    expect([liked.status, liked.data]).toEqual([
      200,
      { message: 'Video liked successfully', videoId: id, likeCount: 1, likeStatus: true },
    ]);
    expect(liked.position).toBeGreaterThan(0n);
    expect(await page(id, bob)).toMatchObject({ isLiked: true, video: { likeCount: 1 } });
    expect(await page(id, ann)).toMatchObject({ isLiked: false, video: { likeCount: 1 } });
    const unliked = await toggle(id, bob);
    expect(unliked.data).toEqual({
      message: 'Video unliked successfully',
      videoId: id,
      likeCount: 0,
      likeStatus: false,
    });
    expect(await page(id, bob)).toMatchObject({ isLiked: false, video: { likeCount: 0 } });
  });

  test('is set and taken back any number of times, with one effect', async () => {
    const id = await features.video(ann);
    expect((await take(id, bob)).data).toMatchObject({ likeCount: 0, likeStatus: false });
    const answers = [await put(id, bob), await put(id, bob)];
    expect(answers.map(({ data }) => data.likeCount)).toEqual([1, 1]);
    expect(answers[1]!.position).toBe(answers[0]!.position);
    expect((await take(id, bob)).data).toMatchObject({ likeCount: 0, likeStatus: false });
    expect((await take(id, bob)).data).toMatchObject({ likeCount: 0, likeStatus: false });
  });

  test.each<[string, () => Promise<string>]>([
    ['was never there', () => Promise.resolve(v7())],
    ['has no id that a video could have', () => Promise.resolve('not-an-id')],
    ['is still being processed', () => features.video(ann, { until: 'processing' })],
    ['could not be processed', () => features.video(ann, { until: 'failed' })],
  ])('of a video that %s is refused, for its owner too', async (_, make) => {
    const id = await make();
    for (const ask of [toggle, put, take]) {
      for (const user of [ann, bob])
        expect((await ask(id, user)).body).toMatchObject({ statusCode: 404, code: 'video_not_found' });
    }
  });

  test('of a deleted video is refused as soon as the deletion is answered', async () => {
    const id = await features.video(ann);
    await put(id, bob);
    expect((await features.call('DELETE', `/api/v1/video/${id}`, { token: ann.token })).status).toBe(204);
    expect((await toggle(id, bob)).status).toBe(404);
  });

  test('needs somebody to give it', async () => {
    const id = await features.video(ann);
    expect((await features.call('POST', `/api/v1/video/${id}`)).status).toBe(401);
  });

  test('of a video spelt in capitals is the same like', async () => {
    const id = await features.video(ann);
    await put(id, bob);
    expect((await put(id.toUpperCase(), bob)).data).toMatchObject({ videoId: id, likeCount: 1 });
  });
});

describe('many likes at once', () => {
  test('on one video come out as the number of likers, and every answer counts its own', async () => {
    const id = await features.video(ann);
    const fans = await Promise.all(Array.from({ length: 40 }, (_, index) => features.user(`Fan${index}`)));
    const answers = await Promise.all(fans.map((fan) => put(id, fan)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (const { data } of answers) expect(data.likeCount).toBeGreaterThanOrEqual(1);
    expect(Math.max(...answers.map(({ data }) => data.likeCount))).toBeLessThanOrEqual(40);
    expect((await page(id, ann)).video.likeCount).toBe(40);
  });

  test('of one user on one video take effect one after the other, none lost', async () => {
    const id = await features.video(ann);
    const answers = await Promise.all(Array.from({ length: 51 }, () => toggle(id, bob)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.filter(({ data }) => data.likeStatus)).toHaveLength(26);
    expect(await page(id, bob)).toMatchObject({ isLiked: true, video: { likeCount: 1 } });
    let revision = -1;
    for await (const event of features.projecting.store.readStream(likeStream(id, bob.id))) {
      expect(event.type).toBe(event.revision % 2 === 0 ? 'VideoLiked' : 'VideoUnliked');
      ({ revision } = event);
    }
    expect(revision).toBe(50);
  });
});

describe('while the read models stand still', () => {
  test('a like is answered with the last count and this one change, and says that the view is behind', async () => {
    const id = await features.video(ann);
    await put(id, ann);
    await features.project(false);
    let liked: Answer<Like>;
    try {
      liked = await put(id, bob);
      expect([liked.status, liked.data.likeCount, liked.headers.get('x-projection-behind')]).toEqual([200, 2, 'true']);
      // By hand, because `after` would ask again.
      const asked = await features.call('GET', `/api/v1/video/${id}`, {
        headers: { 'x-min-position': String(liked.position) },
      });
      expect([asked.status, asked.body.code]).toEqual([503, 'projection_behind']);
    } finally {
      await features.project(true);
    }
    await features.reached(liked.position!);
    const repeated = await put(id, bob);
    expect([repeated.data.likeCount, repeated.headers.get('x-projection-behind')]).toEqual([2, null]);
  });

  test('a like that the count includes before its commit was announced is not counted twice', async () => {
    const id = await features.video(ann);
    await features.project(false);
    const untold = await features.projecting.run(readModelConsumers({ viewRule: counted }));
    try {
      const liked = await put(id, bob);
      expect([liked.status, liked.data.likeCount]).toEqual([200, 1]);
    } finally {
      await untold.stop();
      await features.project(true);
    }
  });

  test('a video that they have not seen yet can be liked', async () => {
    await features.project(false);
    let id = '';
    const known = features.projecting.store;
    const after = await known.head();
    const made = features.video(ann).then((videoId) => (id = videoId));
    try {
      for await (const { events } of known.subscribe({ after, types: ['VideoProcessed'] })) {
        const [event] = events as RecordedEvent<VideoProcessed>[];
        if (event === undefined) continue;
        expect((await put(event.data.videoId, bob)).data).toMatchObject({ likeCount: 1, likeStatus: true });
        break;
      }
    } finally {
      await features.project(true);
    }
    await made;
    expect((await put(id, bob)).data).toMatchObject({ likeCount: 1 });
  });
});

describe('two processes', () => {
  const command = (type: LikeCommand['type'], videoId: string): LikeCommand => ({
    type,
    videoId,
    userId: bob.id,
    ownerId: ann.id,
    at: new Date().toISOString(),
  });
  const context = () => ({ correlationId: 'test', now: new Date() });

  test('that both remember a pair find out when the other has changed it', async () => {
    const { store } = features.projecting;
    const [here, there] = [createLikeCommands({ store }), createLikeCommands({ store })];
    const id = v7();
    expect((await here.handle(command('ToggleLike', id), context())).liked).toBe(true);
    expect((await there.handle(command('ToggleLike', id), context())).liked).toBe(false);
    expect((await here.handle(command('ToggleLike', id), context())).liked).toBe(true);
    expect(await there.handle(command('Like', id), context())).toMatchObject({ liked: true, change: 0 });
    expect(await there.handle(command('Unlike', id), context())).toMatchObject({ liked: false, change: -1 });
    expect(await here.handle(command('Like', id), context())).toMatchObject({ liked: true, change: 1 });
  });

  test('toggling one pair at once lose nothing', async () => {
    const { store } = features.projecting;
    const processes = [createLikeCommands({ store }), createLikeCommands({ store }), createLikeCommands({ store })];
    const id = v7();
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => processes[index % 3]!.handle(command('ToggleLike', id), context())),
    );
    expect(outcomes.reduce((sum, { change }) => sum + change, 0)).toBe(0);
    expect(outcomes.filter(({ liked }) => liked)).toHaveLength(30);
  });

  test('given one command under one idempotency key carry it out once', async () => {
    const { store } = features.projecting;
    const [here, there] = [createLikeCommands({ store }), createLikeCommands({ store })];
    const id = v7();
    const keyed = { ...context(), actor: bob.id, idempotencyKey: 'key' };
    const first = await here.handle(command('ToggleLike', id), keyed);
    const again = await there.handle(command('ToggleLike', id), keyed);
    expect([first.liked, again.liked, again.position]).toEqual([true, true, first.position]);
    expect((await here.handle(command('ToggleLike', id), context())).liked).toBe(false);
  });
});
