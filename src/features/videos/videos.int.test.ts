import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer, Video, VideoPage } from '../../../tests/support/systemClient.ts';
import { fc } from '../../../tests/support/property.ts';
import { eachCount } from '../../../projections/videoCounts.ts';
import { cursorBehind } from './cursor.ts';
import type { HistoryEntry } from './history.ts';

let features: FeaturesTest;
let ann: FeatureUser;
let bob: FeatureUser;

beforeAll(async () => {
  features = await startFeatures();
  [ann, bob] = [await features.user('Ann'), await features.user('Bob')];
});
afterAll(async () => features[Symbol.asyncDispose]());

const get = (id: string, user?: FeatureUser): Promise<Answer<VideoPage>> =>
  features.call('GET', `/api/v1/video/${id}`, user && { token: user.token });
const feed = (query = ''): Promise<Answer<Video[]>> => features.call('GET', `/api/v1/video${query}`);

describe('the feed', () => {
  test('shows ready videos, newest first, in the documented form', async () => {
    const first = await features.video(ann, { title: 'first' });
    await features.video(ann, { until: 'processing' });
    await features.video(ann, { until: 'failed' });
    const second = await features.video(bob, { title: 'second' });
    const { status, body, data } = await feed('?page=1&limit=2');
    expect([status, body.success, data.map(({ id }) => id)]).toEqual([200, true, [second, first]]);
    expect(data[1]).toEqual({
      id: first,
      title: 'first',
      description: 'What it is',
      url: `http://localhost/media/videos/${first}/a.mp4`,
      thumbnailUrl: `http://localhost/media/videos/${first}/b.jpg`,
      ...eachCount('Count', () => 0),
      uploadedBy: ann.id,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      user: { name: 'Ann', username: 'ann' },
      duration: 1.5,
      width: 64,
      height: 48,
      status: 'ready',
      visibility: 'public',
      hlsUrl: null,
      storyboardUrl: null,
      previewUrl: null,
    });
    expect(body.meta).toEqual({ page: 1, limit: 2, total: expect.any(Number), nextCursor: null });
  });

  test('is the same by page and by cursor, each video once, and says how long it is', async () => {
    for (let index = 0; index < 5; index++) await features.video(ann);
    const { total } = (await feed()).body.meta!;
    const byPage: string[] = [];
    for (let page = 1; page <= Math.ceil(total! / 2); page++)
      byPage.push(...(await feed(`?page=${page}&limit=2`)).data.map(({ id }) => id));
    const byCursor: string[] = [];
    for (let cursor: string | null | undefined = ''; cursor !== null;) {
      const { data, body }: Answer<Video[]> = await feed(`?limit=2&cursor=${cursor}`);
      expect(body.meta!.total).toBe(total);
      byCursor.push(...data.map(({ id }) => id));
      cursor = body.meta!.nextCursor!;
    }
    expect(byPage).toHaveLength(total!);
    expect(byCursor).toEqual(byPage);
    expect(byPage).toEqual(byPage.toSorted().reverse());
  });

  test('continues from a cursor at the same place, although newer videos have arrived', async () => {
    const { body, data } = await feed('?limit=3');
    await features.video(ann);
    const rest = await feed(`?limit=100&cursor=${body.meta!.nextCursor}`);
    expect(rest.data.map(({ id }) => id)).not.toContain(data[2]!.id);
    expect(data.length + rest.data.length).toBe(rest.body.meta!.total! - 1);
  });

  test('is found with a slash at the end, as the original server’s client asks, and with an invalid token', async () => {
    const plain = await feed('?page=1&limit=4');
    const slash = await features.call<Video[]>('GET', '/api/v1/video/?page=1&limit=4', { token: 'stale' });
    expect([slash.status, slash.data]).toEqual([200, plain.data]);
    const [first] = plain.data;
    expect((await features.call('GET', `/api/v1/video/${first!.id}`, { token: 'stale' })).status).toBe(200);
  });

  test('is empty beyond its end, and still says how long it is', async () => {
    const { data, body } = await feed('?page=100000&limit=100');
    expect([data, body.meta!.total! > 0, body.meta!.nextCursor]).toEqual([[], true, null]);
  });

  test('is the same for many who ask for different pages at once', async () => {
    const ids = (await feed('?limit=100')).data.map(({ id }) => id);
    const query = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      after: fc.option(fc.nat({ max: ids.length - 1 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(query, { minLength: 2, maxLength: 12 }), async (queries) => {
        const answers = await Promise.all(
          queries.map(({ limit, after }) => {
            const cursor = after === null ? '' : cursorBehind(ids[after]!);
            return feed(`?limit=${limit}&cursor=${cursor}`);
          }),
        );
        for (const [index, { limit, after }] of queries.entries()) {
          const start = after === null ? 0 : after + 1;
          expect(answers[index]!.data.map(({ id }) => id)).toEqual(ids.slice(start, start + limit));
          expect(answers[index]!.body.meta).toMatchObject({
            total: ids.length,
            nextCursor: start + limit < ids.length ? cursorBehind(ids[start + limit - 1]!) : null,
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  test('is reached by the number of a page up to a depth that costs little, and beyond it by cursor', async () => {
    const lengthen = (by: number) => features.projecting.pool.query(`update videos.totals set ready = ready + ${by}`);
    await lengthen(20_000);
    try {
      expect((await feed('?page=100&limit=100')).status).toBe(200);
      const { status, body } = await feed('?page=101&limit=100');
      expect([status, body.code, body.errorMessages?.map(({ path }) => path)]).toEqual([
        400,
        'validation_failed',
        ['page'],
      ]);
      expect(body.message).toContain('read on with cursor');
      expect((await feed('?page=99990&limit=100')).data).toEqual([]);
    } finally {
      await lengthen(-20_000);
    }
  });

  test.each(['page=0', 'page=-1', 'page=1.5', 'page=x', 'limit=0', 'limit=101', 'cursor=x', `cursor=${v7()}`])(
    'is refused for ?%s',
    async (query) => {
      const { status, body } = await feed(`?${query}`);
      expect([status, body.errorMessages?.map(({ path }) => path)]).toEqual([400, [query.split('=')[0]]]);
    },
  );

  test('is not sent again while it is the same, and is once a like has changed it', async () => {
    // These videos have no views: a view that is counted a moment later would change the page.
    const [, , id] = [await features.video(ann), await features.video(ann), await features.video(ann)];
    const etag = (await feed('?limit=3')).headers.get('etag')!;
    const again = (): Promise<Answer<Video[]>> =>
      features.call('GET', '/api/v1/video?limit=3', { headers: { 'if-none-match': etag } });
    expect([(await again()).status, (await again()).text]).toEqual([304, '']);
    await features.call('PUT', `/api/v1/video/${id}/like`, { token: bob.token });
    const changed = await again();
    expect([changed.status, changed.data[0]!.likeCount]).toEqual([200, 1]);
  });
});

describe('a video', () => {
  test('names its neighbours among the ready ones: prev is older, next is newer', async () => {
    const older = await features.video(ann);
    await features.video(ann, { until: 'processing' });
    const middle = await features.video(bob);
    await features.video(ann, { until: 'failed' });
    const newer = await features.video(ann);
    expect((await get(middle)).data).toMatchObject({
      video: { id: middle },
      prev: { id: older },
      next: { id: newer },
      isLiked: false,
    });
    expect((await get(newer)).data).toMatchObject({ prev: { id: middle }, next: null });
  });

  test.each(['processing', 'failed'] as const)(
    'that is %s is there for its owner alone, and is not viewed',
    async (until) => {
      const id = await features.video(ann, { until });
      const own = await get(id, ann);
      expect(own.data).toMatchObject({ video: { id, status: until, url: null, thumbnailUrl: null, viewCount: 0 } });
      for (const user of [bob, undefined])
        expect((await get(id, user)).body).toMatchObject({ statusCode: 404, code: 'video_not_found' });
    },
  );

  test.each([v7(), 'not-an-id'])('%s is not there', async (id) => {
    expect((await get(id)).status).toBe(404);
  });

  test('shows each caller only their own like, although the rest is shared', async () => {
    const id = await features.video(ann);
    await features.call('PUT', `/api/v1/video/${id}/like`, { token: bob.token });
    const asked = [bob, ann, undefined, bob, ann, undefined];
    const answers = await Promise.all(asked.map((user) => get(id, user)));
    expect(answers.map(({ data }) => data.isLiked)).toEqual([true, false, false, true, false, false]);
    expect(answers[0]!.headers.get('cache-control')).toContain('private');
    expect(answers[0]!.headers.get('etag')).not.toBe(answers[1]!.headers.get('etag'));
  });

  test('counts one view a minute per viewer', async () => {
    const id = await features.video(ann);
    const look = (user?: FeatureUser): Promise<Answer<VideoPage>> => get(id, user);
    await Promise.all([look(bob), look(bob), look(ann), look(), look()]);
    const count = async (): Promise<number> => (await feed('?limit=1')).data[0]!.viewCount;
    await eventually(count, { what: 'three viewers are counted', holds: (views) => views === 3 });
    // Had repeats been counted, a fourth viewer would not be the fourth.
    for (const user of [bob, ann, undefined]) await look(user);
    await look(await features.user('Cem'));
    await eventually(count, { what: 'the fourth viewer is counted', holds: (views) => views >= 4 });
    expect(await count()).toBe(4);
  });

  test('asked for by HEAD is not viewed', async () => {
    const id = await features.video(ann);
    expect((await features.call('HEAD', `/api/v1/video/${id}`)).status).toBe(200);
    await get(id, bob);
    await eventually(async () => (await get(id, ann)).data.video.viewCount, {
      what: 'views are counted',
      holds: (views) => views >= 2,
    });
    expect((await feed('?limit=1')).data[0]).toMatchObject({ id, viewCount: 2 });
  });
});

describe('changing a video', () => {
  const patch = (
    id: string,
    user: FeatureUser,
    json: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<Video>> => features.call('PATCH', `/api/v1/video/${id}`, { token: user.token, json, headers });

  test('shows at once, with counts and the rest as they were', async () => {
    const id = await features.video(ann);
    await features.call('PUT', `/api/v1/video/${id}/like`, { token: bob.token });
    const { status, data, headers } = await patch(id, ann, { title: '  New  ' });
    expect([status, data.title, data.description, data.likeCount, data.user]).toEqual([
      200,
      'New',
      'What it is',
      1,
      { name: 'Ann', username: 'ann' },
    ]);
    expect(headers.get('etag')).toBe('"2"');
    expect((await get(id)).data.video).toMatchObject({ title: 'New', updatedAt: data.updatedAt, likeCount: 1 });
    expect((await feed('?limit=1')).data[0]).toMatchObject({ id, title: 'New' });
  });

  test('shows the present name of its owner in every answer, also with a token from before', async () => {
    const dora = await features.user('Dora');
    const id = await features.video(dora);
    const [before, list] = [await get(id), await features.call<Video[]>('GET', '/api/v1/video?username=dora')];
    expect([before.data.video.user, list.data[0]?.user.username]).toEqual([{ name: 'Dora', username: 'dora' }, 'dora']);
    const names = { name: 'Dora B.', username: 'dora-b' };
    const changed = await features.call('PATCH', '/api/v1/auth/me', { token: dora.token, json: names });
    expect(changed.status).toBe(200);
    const first = await feed('?limit=1');
    const shown = [(await patch(id, dora, { title: 'Renamed' })).data, (await get(id)).data.video, first.data[0]!];
    expect(shown.map(({ user }) => user)).toEqual([names, names, names]);
    const pages = ['dora', 'dora-b'].map((name) => features.call('GET', `/api/v1/video?username=${name}`));
    expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([404, 200]);
  });

  test('happens only from the state that If-Match names, views and likes aside', async () => {
    const id = await features.video(ann);
    const etag = (await get(id)).headers.get('etag')!;
    await features.call('PUT', `/api/v1/video/${id}/like`, { token: bob.token });
    expect((await patch(id, ann, { title: 'Once' }, { 'if-match': etag })).status).toBe(200);
    const late = await patch(id, ann, { title: 'Twice' }, { 'if-match': etag });
    expect(late.body).toMatchObject({ statusCode: 412, code: 'precondition_failed' });
    expect((await patch(id, ann, { title: 'Any' }, { 'if-match': '*' })).status).toBe(200);
    expect((await patch(id, ann, { title: 'None' }, { 'if-match': '"no such"' })).status).toBe(412);
    expect((await patch(id, bob, { title: 'Theirs' }, { 'if-match': etag })).status).toBe(403);
    expect((await patch(v7(), ann, { title: 'Nobody’s' }, { 'if-match': etag })).status).toBe(404);
    expect((await get(id)).data.video.title).toBe('Any');
  });

  test.each<[object, string]>([
    [{}, ''],
    [{ title: ' ' }, 'title'],
    [{ title: '\u200b\u3164\u202e' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ description: 'x'.repeat(5_001) }, 'description'],
    [{ title: 7 }, 'title'],
  ])('to %j is refused', async (change, path) => {
    const id = await features.video(ann);
    const { status, body } = await patch(id, ann, change);
    expect([status, body.errorMessages?.map((message) => message.path)]).toEqual([400, [path]]);
  });

  test('is cleaned of what is invisible, and keeps what emoji and scripts need', async () => {
    const id = await features.video(ann);
    const sent = { title: ' \u202eLaunch\u0007 👩‍🚀\nday\u200b ', description: 'می\u200cخواهم\r\n\u2066two\u2069\0' };
    const { status, data } = await patch(id, ann, sent);
    expect([status, data.title, data.description]).toEqual([200, 'Launch 👩‍🚀 day', 'می\u200cخواهم\ntwo']);
  });

  test('and deleting it are the owner’s alone', async () => {
    const id = await features.video(ann);
    for (const [method, json] of [
      ['PATCH', { title: 'Mine' }],
      ['DELETE', undefined],
    ] as const) {
      expect((await features.call(method, `/api/v1/video/${id}`, { token: bob.token, json })).body).toMatchObject({
        statusCode: 403,
        code: 'not_your_video',
      });
      expect((await features.call(method, `/api/v1/video/${v7()}`, { token: bob.token, json })).status).toBe(404);
      expect((await features.call(method, `/api/v1/video/${id}`, { json })).status).toBe(401);
    }
  });

  test('deleting takes it out of everything at once; saying so again changes nothing', async () => {
    const id = await features.video(ann);
    const { total } = (await feed()).body.meta!;
    const remove = (): Promise<Answer<unknown>> => features.call('DELETE', `/api/v1/video/${id}`, { token: ann.token });
    const first = await remove();
    expect([first.status, first.text, first.position! > 0n]).toEqual([204, '', true]);
    expect((await get(id, ann)).status).toBe(404);
    expect((await feed()).body.meta!.total).toBe(total! - 1);
    const second = await remove();
    expect([second.status, second.position]).toEqual([204, first.position]);
    expect((await patch(id, ann, { title: 'Back' })).status).toBe(404);
  });

  test('is history, for the owner to read', async () => {
    const id = await features.video(ann, { title: 'Was' });
    await patch(id, ann, { title: 'Is' });
    await features.call('DELETE', `/api/v1/video/${id}`, { token: ann.token });
    const { status, data } = await features.call<HistoryEntry[]>('GET', `/api/v1/video/${id}/history`, {
      token: ann.token,
    });
    expect(status).toBe(200);
    expect(data.map(({ type, revision }) => `${revision} ${type}`)).toEqual([
      '0 VideoUploaded',
      '1 VideoProcessed',
      '2 VideoDetailsChanged',
      '3 VideoDeleted',
    ]);
    expect(data[2]).toMatchObject({
      data: { title: 'Is', description: 'What it is' },
      position: expect.stringMatching(/^\d+$/),
    });
    expect(JSON.stringify(data)).not.toMatch(/originals|a\.mp4/);
    expect((await features.call('GET', `/api/v1/video/${id}/history`, { token: bob.token })).status).toBe(404);
  });

  test('is history, also for admins; a stranger gets 403 for a public video and else 404', async () => {
    const admin = await features.admin('Root');
    const [shown, hidden] = [await features.video(ann), await features.video(ann, { until: 'processing' })];
    const read = (id: string, token: string): Promise<Answer<HistoryEntry[]>> =>
      features.call('GET', `/api/v1/video/${id}/history`, { token });
    expect((await read(hidden, admin.token)).data).toEqual((await read(hidden, ann.token)).data);
    expect((await read(shown, bob.token)).body).toMatchObject({ statusCode: 403, code: 'not_your_video' });
    expect((await read(hidden, bob.token)).body).toMatchObject({ statusCode: 404, code: 'video_not_found' });
    expect((await read(v7(), admin.token)).body).toMatchObject({ statusCode: 404, code: 'video_not_found' });
  });

  test('is history that can be read in pages', async () => {
    const id = await features.video(ann);
    for (const title of ['B', 'C', 'D']) await patch(id, ann, { title });
    const read = (query: string): Promise<Answer<HistoryEntry[]>> =>
      features.call('GET', `/api/v1/video/${id}/history?${query}`, { token: ann.token });
    const all = await read('');
    expect([all.data.length, all.body.meta?.nextCursor]).toEqual([5, null]);
    const found: HistoryEntry[] = [];
    for (let cursor: string | null | undefined = '0'; cursor !== null;) {
      const page: Answer<HistoryEntry[]> = await read(`limit=2&cursor=${cursor}`);
      expect(page.data.length).toBeLessThanOrEqual(2);
      found.push(...page.data);
      cursor = page.body.meta!.nextCursor!;
    }
    expect(found).toEqual(all.data);
    expect((await read('cursor=900')).data).toEqual([]);
    for (const query of ['cursor=x', 'limit=0', 'limit=1001']) expect((await read(query)).status).toBe(400);
  });
});
