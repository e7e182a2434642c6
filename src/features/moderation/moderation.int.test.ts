import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer, Video, VideoPage } from '../../../tests/support/systemClient.ts';

let features: FeaturesTest;
let ann: FeatureUser;
let bob: FeatureUser;
let dora: FeatureUser;
let admin: FeatureUser;

beforeAll(async () => {
  features = await startFeatures();
  [ann, bob, dora] = [await features.user('Ann'), await features.user('Bob'), await features.user('Dora')];
  admin = await features.admin('Cleo');
});
afterAll(async () => features[Symbol.asyncDispose]());

type Fields = Record<string, unknown>;
const get = <Data = Fields>(path: string, user?: FeatureUser): Promise<Answer<Data>> =>
  features.call('GET', `/api/v1${path}`, user === undefined ? {} : { token: user.token });
const post = <Data = Fields>(path: string, user: FeatureUser, json: unknown): Promise<Answer<Data>> =>
  features.call('POST', `/api/v1${path}`, { token: user.token, json });
const report = (id: string, user: FeatureUser, json: unknown = { reason: 'spam' }): Promise<Answer<Fields>> =>
  post(`/video/${id}/reports`, user, json);
const decide = (id: string, what: 'hide' | 'restore' | 'remove', reason = 'It is advertising.') =>
  post(`/admin/videos/${id}/${what}`, admin, { reason });
const dismiss = (id: string) => post(`/admin/reports/${id}/dismiss`, admin, { reason: 'Nothing is wrong.' });
const refusal = ({ status, body }: Answer<unknown>): unknown[] => [status, (body as { code?: string }).code];

interface Reported {
  readonly video: { readonly id: string; readonly state: string };
}
async function queue(state: 'open' | 'decided'): Promise<Reported[]> {
  return (await get<Reported[]>(`/admin/reports?state=${state}`, admin)).data;
}
const placeOf = async (id: string): Promise<string[]> => {
  const found = [];
  for (const state of ['open', 'decided'] as const)
    if ((await queue(state)).some(({ video }) => video.id === id)) found.push(state);
  return found;
};

describe('a report', () => {
  test('is made once by each user, and its first reason counts', async () => {
    const id = await features.video(ann);
    const first = await report(id, bob, { reason: 'harassment', text: 'At the end.' });
    expect([first.status, first.data]).toMatchObject([201, { videoId: id, reason: 'harassment' }]);
    const again = await report(id, bob, { reason: 'spam' });
    expect([again.status, again.data]).toEqual([200, first.data]);
    expect((await report(id, dora)).status).toBe(201);
    const { data } = await get(`/admin/reports/${id}`, admin);
    expect(data).toMatchObject({
      counts: { total: 2, harassment: 1, spam: 1, violence: 0 },
      isOpen: true,
      owner: { id: ann.id, suspended: null },
      reports: [
        { reporterId: dora.id, reason: 'spam', text: null },
        { reporterId: bob.id, reason: 'harassment', text: 'At the end.' },
      ],
      decisions: [],
    });
  });

  test('is refused for what the reporter cannot see, and for an own video', async () => {
    const id = await features.video(ann);
    const secret = await features.video(ann, { visibility: 'private' });
    const unfinished = await features.video(ann, { until: 'processing' });
    for (const missing of [secret, unfinished, v7(), 'nonsense'])
      expect(refusal(await report(missing, bob))).toEqual([404, 'video_not_found']);
    expect(refusal(await report(id, ann))).toEqual([409, 'own_video']);
    expect(refusal(await report(id, bob, { reason: 'boring' }))).toEqual([400, 'validation_failed']);
    expect((await features.call('POST', `/api/v1/video/${id}/reports`, { json: { reason: 'spam' } })).status).toBe(401);
  });
});

describe('the queue', () => {
  test('has a video until somebody decides, and again after a new report', async () => {
    const id = await features.video(ann, { title: 'Cheap watches' });
    await report(id, bob, { reason: 'spam', text: 'Not again.' });
    const [first] = await queue('open');
    expect(first).toMatchObject({
      video: { id, title: 'Cheap watches', state: 'visible', user: { username: 'ann' } },
      counts: { total: 1, spam: 1 },
      newest: { reporterId: bob.id, reason: 'spam', text: 'Not again.' },
      isOpen: true,
      lastDecision: null,
    });
    expect((await dismiss(id)).data).toEqual({ videoId: id, state: 'visible' });
    expect(await placeOf(id)).toEqual(['decided']);
    await report(id, dora);
    expect(await placeOf(id)).toEqual(['open']);
    await decide(id, 'hide');
    expect((await queue('decided'))[0]).toMatchObject({
      video: { id, state: 'hidden' },
      lastDecision: { decision: 'hidden', by: admin.id },
    });
  });

  test('is read in pages, the newest report first', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.unshift(await features.video(ann));
      await report(ids[0]!, bob);
    }
    const page = (query: string) => get<Reported[]>(`/admin/reports?limit=2${query}`, admin);
    const first = await page('');
    expect(first.data.map(({ video }) => video.id)).toEqual(ids.slice(0, 2));
    const second = await page(`&cursor=${String(first.body.meta!.nextCursor)}`);
    expect(second.data[0]!.video.id).toBe(ids[2]);
  });

  test('loses a video that its owner deletes', async () => {
    const id = await features.video(ann);
    await report(id, bob);
    await features.call('DELETE', `/api/v1/video/${id}`, { token: ann.token });
    expect(await placeOf(id)).toEqual(['decided']);
    expect(refusal(await decide(id, 'hide'))).toEqual([404, 'video_not_found']);
  });

  test('dismissing is refused without a report, and changes nothing twice', async () => {
    const id = await features.video(ann);
    expect(refusal(await dismiss(id))).toEqual([409, 'no_reports']);
    await report(id, bob);
    const [first, second] = [await dismiss(id), await dismiss(id)];
    expect([second.status, second.position]).toEqual([200, first.position]);
    expect(refusal(await dismiss(v7()))).toEqual([404, 'video_not_found']);
  });
});

describe('a hidden video', () => {
  const sees = async (id: string, user?: FeatureUser) => {
    const lists = await Promise.all([get<Video[]>('/video', user), get<Video[]>('/video?username=ann', user)]);
    return [(await get(`/video/${id}`, user)).status, ...lists.map(({ data }) => data.some((each) => each.id === id))];
  };

  test('is gone for everyone but its owner with the answer, also where answers were cached, and comes back', async () => {
    const older = await features.video(ann);
    const id = await features.video(ann);
    const newer = await features.video(ann);
    for (let times = 0; times < 2; times++) {
      const { total } = (await get('/video')).body.meta!;
      expect(await sees(id)).toEqual([200, true, true]);
      expect(await sees(id, bob)).toEqual([200, true, true]);
      expect(await decide(id, 'hide')).toMatchObject({
        status: 200,
        data: { videoId: id, state: 'hidden', filesMoved: true },
      });
      expect(await sees(id)).toEqual([404, false, false]);
      expect(await sees(id, bob)).toEqual([404, false, false]);
      expect((await get('/video')).body.meta!.total).toBe(total! - 1);
      expect((await get<VideoPage>(`/video/${older}`)).data.next).toEqual({ id: newer });
      expect(refusal(await features.call('PUT', `/api/v1/video/${id}/like`, { token: bob.token }))[0]).toBe(404);
      expect(refusal(await report(id, bob))).toEqual([404, 'video_not_found']);
      expect((await decide(id, 'restore')).data).toMatchObject({ videoId: id, state: 'visible' });
    }
    expect(await sees(id, bob)).toEqual([200, true, true]);
  });

  test('is shown to its owner with the reason, who can change and delete it, but not show it again', async () => {
    const id = await features.video(ann);
    await decide(id, 'hide', 'Shows a phone number.');
    const own = async () => (await get<Fields[]>('/video/mine', ann)).data.find((video) => video['id'] === id);
    expect(await own()).toMatchObject({
      status: 'ready',
      visibility: 'public',
      moderation: { state: 'hidden', reason: 'Shows a phone number.' },
    });
    const history = (await get<Fields[]>(`/video/${id}/history`, ann)).data;
    expect(history).toContainEqual(
      expect.objectContaining({ type: 'VideoHidden', data: { reason: 'Shows a phone number.' } }),
    );
    expect((await get(`/video/${id}`, ann)).status).toBe(200);
    for (const visibility of ['unlisted', 'public'])
      await features.call('PATCH', `/api/v1/video/${id}`, { token: ann.token, json: { visibility, title: 'Better' } });
    expect(await sees(id, bob)).toEqual([404, false, false]);
    expect((await features.call('DELETE', `/api/v1/video/${id}`, { token: ann.token })).status).toBe(204);
    expect(await own()).toBeUndefined();
  });

  test('stays hidden when its processing ends', async () => {
    const id = await features.video(ann, { until: 'processing' });
    await decide(id, 'hide');
    const at = new Date().toISOString();
    const object = (key: string) => ({ key: `private/${id}/${key}`, size: 1 });
    const facts = { duration: 1.5, width: 64, height: 48 };
    await features.reached(
      await features.decide(id, {
        type: 'RecordVideoProcessed',
        video: object('a.mp4'),
        thumbnail: object('b.jpg'),
        facts,
        at,
      }),
    );
    expect(await sees(id)).toEqual([404, false, false]);
  });

  test('is hidden and restored once, and every decision stays in its history', async () => {
    const id = await features.video(ann);
    await decide(id, 'hide', 'One.');
    await decide(id, 'hide', 'Two.');
    await decide(id, 'restore', 'Three.');
    await decide(id, 'restore', 'Four.');
    await report(id, bob);
    await dismiss(id);
    await decide(id, 'hide', 'Five.');
    const { decisions } = (await get(`/admin/reports/${id}`, admin)).data as { decisions: Fields[] };
    expect(decisions.map(({ decision, by, reason }) => [decision, by, reason])).toEqual([
      ['hidden', admin.id, 'One.'],
      ['restored', admin.id, 'Three.'],
      ['dismissed', admin.id, 'Nothing is wrong.'],
      ['hidden', admin.id, 'Five.'],
    ]);
  });
});

describe('a removed video', () => {
  test('is deleted for good, and its owner sees why', async () => {
    const id = await features.video(ann);
    expect((await decide(id, 'remove', 'Copied.')).data).toMatchObject({ state: 'removed', filesMoved: true });
    for (const user of [undefined, bob, ann]) expect((await get(`/video/${id}`, user)).status).toBe(404);
    const own = (await get<Fields[]>('/video/mine', ann)).data.find((video) => video['id'] === id);
    expect(own).toMatchObject({ url: null, thumbnailUrl: null, moderation: { state: 'removed', reason: 'Copied.' } });
    expect((await decide(id, 'remove', 'Again.')).status).toBe(200);
    expect(refusal(await decide(id, 'restore'))).toEqual([409, 'video_removed']);
    expect(refusal(await decide(id, 'hide'))).toEqual([409, 'video_removed']);
    const { decisions } = (await get(`/admin/reports/${id}`, admin)).data as { decisions: Fields[] };
    expect(decisions).toMatchObject([{ decision: 'removed', reason: 'Copied.' }]);
  });
});

describe('a user', () => {
  test('is shown with numbers of videos and reports', async () => {
    const eve = await features.user('Eve');
    const [hidden, removed] = [await features.video(eve), await features.video(eve)];
    await report(hidden, bob);
    await report(await features.video(eve), bob);
    await report(await features.video(ann), eve);
    await decide(hidden, 'hide');
    await decide(removed, 'remove');
    expect((await get(`/admin/users/${eve.id}`, admin)).data).toMatchObject({
      id: eve.id,
      name: 'Eve',
      isAdmin: false,
      suspended: null,
      videos: { total: 2, hidden: 1, removed: 1 },
      reports: { received: 2, open: 1, made: 1 },
      decisions: [],
    });
    for (const nobody of [v7(), 'nonsense'])
      expect(refusal(await get(`/admin/users/${nobody}`, admin))).toEqual([404, 'account_unknown']);
  });

  test('is suspended once, and reinstated', async () => {
    const fred = await features.user('Fred');
    const change = (what: string, reason: string) => post(`/admin/users/${fred.id}/${what}`, admin, { reason });
    expect((await change('suspend', 'Spam.')).data).toMatchObject({
      id: fred.id,
      suspended: { by: admin.id, reason: 'Spam.' },
    });
    expect((await change('suspend', 'Again.')).data).toMatchObject({ suspended: { reason: 'Spam.' } });
    expect(refusal(await get('/auth/me', fred))).toEqual([401, 'session_revoked']);
    expect((await change('reinstate', 'Sorry.')).data).toEqual({ id: fred.id, suspended: null });
    expect((await get(`/admin/users/${fred.id}`, admin)).data['decisions']).toMatchObject([
      { decision: 'suspended', reason: 'Spam.' },
      { decision: 'reinstated', reason: 'Sorry.' },
    ]);
  });

  test('who is an admin cannot suspend the own account', async () => {
    expect(refusal(await post(`/admin/users/${admin.id}/suspend`, admin, { reason: 'Oops.' }))).toEqual([
      409,
      'own_account',
    ]);
  });
});

test('only admins moderate', async () => {
  const id = await features.video(ann);
  const asked = [
    await get('/admin/reports', bob),
    await get(`/admin/reports/${id}`, bob),
    await get(`/admin/users/${ann.id}`, bob),
    ...(await Promise.all(
      [
        `/admin/reports/${id}/dismiss`,
        ...['hide', 'restore', 'remove'].map((what) => `/admin/videos/${id}/${what}`),
        ...['suspend', 'reinstate'].map((what) => `/admin/users/${ann.id}/${what}`),
      ].map((path) => post(path, bob, { reason: 'No.' })),
    )),
  ];
  for (const answer of asked) expect(refusal(answer)).toEqual([403, 'admin_required']);
});
