import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Analytics, Answer, CallOptions, Video, VideoPage } from '../../../tests/support/systemClient.ts';
import type { Visibility } from './events.ts';

let features: FeaturesTest;
let ann: FeatureUser;
let bob: FeatureUser;
let admin: FeatureUser;

beforeAll(async () => {
  features = await startFeatures();
  ann = await features.user('Ann');
  bob = await features.user('Bob');
  admin = await features.admin('Cleo');
});
afterAll(async () => features[Symbol.asyncDispose]());

const as = (user?: FeatureUser): CallOptions => (user === undefined ? {} : { token: user.token });
const get = (id: string, user?: FeatureUser): Promise<Answer<VideoPage>> =>
  features.call('GET', `/api/v1/video/${id}`, as(user));
const feed = (query = '', user?: FeatureUser): Promise<Answer<Video[]>> =>
  features.call('GET', `/api/v1/video${query}`, as(user));
const idsOf = ({ data }: Answer<Video[]>): string[] => data.map(({ id }) => id);
const show = (id: string, visibility: Visibility, user = ann): Promise<Answer<Video>> =>
  features.call('PATCH', `/api/v1/video/${id}`, { token: user.token, json: { visibility } });

/** What tells a stranger whether there is a video: everything of the answer but what differs in each of them. */
function traces({ status, body, headers }: Answer<unknown>): unknown {
  const { requestId: _, ...rest } = (body ?? {}) as unknown as Record<string, unknown>;
  const names = ['etag', 'cache-control', 'vary', 'content-length'];
  return { status, rest, headers: names.map((name) => headers.get(name)) };
}

const doors: readonly [method: string, path: string, options?: CallOptions][] = [
  ['GET', ''],
  ['HEAD', ''],
  ['POST', ''],
  ['PUT', '/like'],
  ['DELETE', '/like'],
  ['PATCH', '', { json: { title: 'Mine now' } }],
  ['DELETE', ''],
  ['GET', '/history'],
  ['POST', '/retry'],
];

describe('a private video', () => {
  test.each(doors)(
    'is for strangers as one that does not exist: %s /video/:id%s',
    async (...[method, path, options]) => {
      const [hidden, missing] = [await features.video(ann, { visibility: 'private' }), v7()];
      for (const user of [undefined, bob]) {
        const ask = (id: string) => features.call(method, `/api/v1/video/${id}${path}`, { ...as(user), ...options });
        const [ofHidden, ofMissing] = [await ask(hidden), await ask(missing)];
        if (user !== undefined || (method === 'GET' && path === '')) expect(ofHidden.status).toBe(404);
        expect(traces(ofHidden)).toEqual(traces(ofMissing));
      }
    },
  );

  test('is whole for its owner, who may watch and like it', async () => {
    const id = await features.video(ann, { visibility: 'private', title: 'Only mine' });
    const { status, data, headers } = await get(id, ann);
    expect([status, data.video]).toMatchObject([
      200,
      { id, title: 'Only mine', visibility: 'private', status: 'ready' },
    ]);
    expect(headers.get('cache-control')).toBe('private, no-cache');
    const liked = await features.call('PUT', `/api/v1/video/${id}/like`, as(ann));
    expect([liked.status, liked.data]).toMatchObject([200, { likeCount: 1 }]);
    expect((await get(id, bob)).status).toBe(404);
  });

  test('is among the top videos of its owner, and in nobody else’s numbers', async () => {
    const hana = await features.user('Hana');
    const id = await features.video(hana, { visibility: 'private' });
    await features.call('PUT', `/api/v1/video/${id}/like`, as(hana));
    const numbers = async (user: FeatureUser, query = '') =>
      (await features.call<Analytics>('GET', `/api/v1/analytics${query}`, as(user))).data;
    expect((await numbers(hana)).topVideos).toMatchObject([{ id, likeCount: 1 }]);
    expect(await numbers(bob, `?videoId=${id}`)).toMatchObject({ totalLikes: 0, totalUploads: 0, topVideos: [] });
  });

  test('has a history for its owner and for admins', async () => {
    const id = await features.video(ann, { visibility: 'private' });
    for (const user of [ann, admin])
      expect((await features.call('GET', `/api/v1/video/${id}/history`, as(user))).status).toBe(200);
  });
});

describe('a video that is not public', () => {
  test.each(['private', 'unlisted'] as const)('is not listed anywhere: %s', async (visibility) => {
    const older = await features.video(ann);
    const { total } = (await feed()).body.meta!;
    const hidden = await features.video(ann, { visibility });
    const newer = await features.video(ann);
    const lists = [await feed(), await feed('?cursor='), await feed('?username=ann'), await feed('', ann)];
    for (const list of lists) expect(idsOf(list)).not.toContain(hidden);
    expect((await feed()).body.meta!.total).toBe(total! + 1);
    expect([(await get(older)).data.next, (await get(newer)).data.prev]).toEqual([{ id: newer }, { id: older }]);
    expect((await get(hidden, ann)).data).toMatchObject({ prev: { id: older }, next: { id: newer } });
    expect(idsOf(await features.call('GET', '/api/v1/video/mine', as(ann)))).toContain(hidden);
  });

  test('can be watched and liked by everyone who knows its id, if it is unlisted', async () => {
    const id = await features.video(ann, { visibility: 'unlisted' });
    for (const user of [undefined, bob, ann])
      expect([(await get(id, user)).status, (await get(id, user)).data.video.visibility]).toEqual([200, 'unlisted']);
    expect((await features.call('PUT', `/api/v1/video/${id}/like`, as(bob))).status).toBe(200);
    expect((await show(id, 'public', bob)).body.code).toBe('not_your_video');
  });
});

describe('changing the visibility', () => {
  test('takes effect for everyone with the answer, in both directions, also where answers were cached', async () => {
    const id = await features.video(ann, { title: 'Now and then' });
    const sees = async () => [
      (await get(id)).status,
      idsOf(await feed()).includes(id),
      idsOf(await feed('?username=ann')).includes(id),
    ];
    expect(await sees()).toEqual([200, true, true]);
    for (let times = 0; times < 3; times++) {
      expect((await show(id, 'private')).data.visibility).toBe('private');
      expect(await sees()).toEqual([404, false, false]);
      expect((await show(id, 'unlisted')).data.visibility).toBe('unlisted');
      expect(await sees()).toEqual([200, false, false]);
      expect((await show(id, 'public')).data.visibility).toBe('public');
      expect(await sees()).toEqual([200, true, true]);
    }
  });

  test('honours If-Match, and changes the ETag', async () => {
    const id = await features.video(ann);
    const etag = (await get(id, ann)).headers.get('etag')!;
    const change = (visibility: Visibility) =>
      features.call('PATCH', `/api/v1/video/${id}`, {
        ...as(ann),
        json: { visibility },
        headers: { 'If-Match': etag },
      });
    expect([(await change('private')).status, (await change('public')).status]).toEqual([200, 412]);
  });

  test('is not refused because the files were moved since the ETag was read', async () => {
    const id = await features.video(ann);
    const { headers } = await show(id, 'private');
    await features.decide(id, { type: 'RecordFilesMoved', access: 'private', at: new Date().toISOString() });
    const change = (visibility: Visibility) =>
      features.call('PATCH', `/api/v1/video/${id}`, {
        ...as(ann),
        json: { visibility },
        headers: { 'If-Match': headers.get('etag')! },
      });
    expect([(await change('unlisted')).status, (await change('public')).status]).toEqual([200, 412]);
  });

  test('is refused for a word that is no visibility, with a sentence', async () => {
    const id = await features.video(ann);
    for (const json of [{ visibility: 'secret' }, { visibility: null }, {}]) {
      const { status, body: answer } = await features.call('PATCH', `/api/v1/video/${id}`, { ...as(ann), json });
      expect([status, answer.code]).toEqual([400, 'validation_failed']);
    }
  });
});

describe('the videos of one user', () => {
  test('are found by a username in any case, by page and by cursor', async () => {
    const dora = await features.user('Dora');
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift(await features.video(dora));
    await features.video(bob);
    const first = await feed('?username=DORA&limit=2&cursor=');
    expect([idsOf(first), first.body.meta]).toMatchObject([
      ids.slice(0, 2),
      { total: 5, limit: 2, user: { id: dora.id, name: 'Dora', username: 'dora' } },
    ]);
    expect(idsOf(await feed(`?username=dora&limit=2&cursor=${first.body.meta!.nextCursor}`))).toEqual(ids.slice(2, 4));
    expect(idsOf(await feed('?username=dora&limit=2&page=3'))).toEqual(ids.slice(4));
    expect((await feed('?username=dora&limit=2&page=3')).body.meta!.nextCursor).toBeNull();
  });

  test('of nobody are 404, and of somebody without videos none', async () => {
    const eve = await features.user('Eve');
    expect((await feed('?username=nobody-at-all')).body).toMatchObject({ statusCode: 404, code: 'user_not_found' });
    const none = await feed('?username=eve');
    expect([none.data, none.body.meta]).toMatchObject([[], { total: 0, user: { id: eve.id } }]);
  });
});

describe('the list of one’s own videos', () => {
  const mine = (user: FeatureUser, query = ''): Promise<Answer<Record<string, unknown>[]>> =>
    features.call('GET', `/api/v1/video/mine${query}`, as(user));

  test('has them in every state, with what is being done and why it failed', async () => {
    const fred = await features.user('Fred');
    const ready = await features.video(fred, { visibility: 'private' });
    const processing = await features.video(fred, { until: 'processing' });
    const failed = await features.video(fred, { until: 'failed' });
    await features.video(bob);
    const { data, body } = await mine(fred);
    expect(body.meta).toEqual({ total: 3, nextCursor: null });
    expect(data).toMatchObject([
      { id: failed, status: 'failed', stage: null, progress: null, reason: 'It is damaged.' },
      { id: processing, status: 'processing', stage: 'waiting', progress: 38, reason: null },
      { id: ready, status: 'ready', visibility: 'private', stage: null, progress: null, reason: null },
    ]);
    for (const status of ['ready', 'processing', 'failed']) {
      const some = await mine(fred, `?status=${status}`);
      expect([some.data.map((video) => video['status']), some.body.meta!.total]).toEqual([[status], 1]);
    }
    expect((await mine(fred, '?limit=2')).data).toHaveLength(2);
    const { nextCursor } = (await mine(fred, '?limit=2')).body.meta!;
    expect((await mine(fred, `?limit=2&cursor=${nextCursor}`)).data).toMatchObject([{ id: ready }]);
  });

  test('is for the signed in, and never has a deleted video', async () => {
    expect((await features.call('GET', '/api/v1/video/mine')).status).toBe(401);
    const gus = await features.user('Gus');
    const id = await features.video(gus);
    await features.call('DELETE', `/api/v1/video/${id}`, as(gus));
    expect((await mine(gus)).body).toMatchObject({ data: [], meta: { total: 0 } });
  });
});
