import { afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { connect as connectSocket } from '../support/systemSockets.ts';
import {
  afterwards,
  call,
  getVideo,
  newPerson,
  setLike,
  uploaded,
  type Answer,
  type Person,
  type Video,
} from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

type Visibility = Video['visibility'];

const { system, systemTest } = useSystem({ environment: { ADMIN_EMAILS: 'grace@example.com' } });
const sockets: Socket[] = [];
let plain = '';
let ann: Person;
let eve: Person;

beforeAll(async () => {
  plain = await clip('plain');
});
beforeEach(async () => {
  [ann, eve] = [await newPerson(system().api()), await newPerson(system().api())];
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

const show = (id: string, visibility: Visibility): Promise<Answer<Video>> =>
  call(system().apis[0]!, 'PATCH', `/api/v1/video/${id}`, { token: ann.token, json: { visibility } });
const fetched = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(url, { headers })).status;
const isSigned = (url: string | null): boolean => /\/media\/private\/\d+\.[\w-]{43}\//.test(url!);

/** The video as its owner gets it, once its files are where its visibility wants them. */
async function settled(id: string, signed: boolean): Promise<Video> {
  return eventually(async () => (await getVideo(system().api(), id, { token: ann.token })).data.video, {
    what: `the URLs are ${signed ? 'signed' : 'plain'}`,
    holds: ({ url, thumbnailUrl }) => isSigned(url) === signed && isSigned(thumbnailUrl) === signed,
  });
}

interface Heard {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Hears, by default, of changes of the visibility. */
async function listen(
  topics: readonly string[],
  token?: string,
  wanted = (type: string) => type.startsWith('VideoVisibility'),
): Promise<Heard[]> {
  const socket = await connectSocket(system().api(), token);
  sockets.push(socket);
  const heard: Heard[] = [];
  socket.on('event', ({ type, data }: Heard) => {
    if (wanted(type)) heard.push({ type, data });
  });
  expect(await socket.timeout(10_000).emitWithAck('subscribe', { topics })).toMatchObject({ ok: true });
  return heard;
}

systemTest(
  'a video that was uploaded as private is played by its owner, by URLs that are signed, and by nobody else',
  async () => {
    const video = await uploaded(system().api(), ann.token, plain, { title: 'Mine', visibility: 'private' });
    expect([video.visibility, isSigned(video.url), isSigned(video.thumbnailUrl)]).toEqual(['private', true, true]);
    const response = await fetch(video.url!, { headers: { range: 'bytes=0-9' } });
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([206, 10]);
    expect(response.headers.get('cache-control')).toMatch(/^private, /);
    expect(response.headers.get('content-type')).toBe('video/mp4');

    // The signature belongs to this video, and the key alone leads nowhere.
    const forged = video.url!.replace(/\.[\w-]{43}\//, `.${'A'.repeat(43)}/`);
    const unsigned = video.url!.replace(/\/private\/[^/]+\//, '/private/');
    const asPublic = video.url!.replace(/\/private\/[^/]+\//, '/videos/');
    for (const url of [forged, unsigned, asPublic]) expect([url, await fetched(url)]).toEqual([url, 404]);

    // Who reads the logs learns no signature, also where a request for the file fails.
    const [, signature] = /\/private\/([^/]+)\//.exec(video.url!)!;
    expect(await fetched(video.url!.replace(/\/[^/]+$/, '/other.m3u8'), { 'x-request-id': 'signed-and-missing' })).toBe(
      404,
    );
    await eventually(() => system().logs(1_000).includes('signed-and-missing'), { what: 'the request is logged' });
    expect(system().logs(1_000)).not.toContain(signature);
  },
);

systemTest('a stranger finds no door to a private video', async () => {
  const api = system().api();
  const older = await uploaded(api, ann.token, plain);
  const heard = await listen(['feed'], undefined, () => true);
  const hidden = await uploaded(api, ann.token, plain, { title: 'A secret title', visibility: 'private' });
  const heardOfVideo = await listen([`video:${hidden.id}`], eve.token, () => true);
  const newer = await uploaded(api, ann.token, plain);
  const after = afterwards(await setLike(api, hidden.id, ann.token));
  const ask = (method: string, path: string): Promise<Answer<unknown>> =>
    call(api, method, path, { token: eve.token, ...after });

  for (const [method, path] of [
    ['GET', ''],
    ['POST', ''],
    ['PUT', '/like'],
    ['DELETE', '/like'],
    ['DELETE', ''],
    ['GET', '/history'],
    ['POST', '/retry'],
  ] as const)
    expect([path, (await ask(method, `/api/v1/video/${hidden.id}${path}`)).body.code]).toEqual([
      path,
      'video_not_found',
    ]);

  const lists = await Promise.all(
    [
      '/api/v1/video?limit=100',
      '/api/v1/video?limit=100&cursor=',
      `/api/v1/video?username=${ann.username}`,
      '/api/v1/video/mine',
      '/api/v1/auth/me',
      `/api/v1/video/${older.id}`,
      `/api/v1/video/${newer.id}`,
      `/api/v1/analytics?startDate=2020-01-01&endDate=2100-01-01&videoId=${hidden.id}`,
    ].map((path) => ask('GET', path)),
  );
  for (const { text, status } of lists) {
    expect(status).toBe(200);
    expect(text).not.toContain('A secret title');
    expect(text.replaceAll(`"videoId":"${hidden.id}"`, '')).not.toContain(hidden.id);
  }
  const explained = await ask(
    'GET',
    `/api/v1/analytics/explain?date=${hidden.createdAt.slice(0, 10)}&metric=likes&videoId=${hidden.id}`,
  );
  expect(explained.data).toEqual([]);

  // What happens to a video after it comes later in the feed.
  await eventually(() => heard.some(({ data }) => data['videoId'] === newer.id), {
    what: 'the newer video is heard of',
  });
  expect(JSON.stringify([heard, heardOfVideo])).not.toContain(hidden.id);
});

systemTest('a video that becomes private is gone for everyone else at once, and its old URL soon', async () => {
  const video = await uploaded(system().api(), ann.token, plain);
  const [feed, ofVideo, own] = [
    await listen(['feed']),
    await listen([`video:${video.id}`], eve.token),
    await listen(['me'], ann.token),
  ];
  expect(await fetched(video.url!)).toBe(200);
  // Every process has the video in its cache.
  for (const api of system().apis) expect((await getVideo(api, video.id)).status).toBe(200);
  const etag = (await getVideo(system().api(), video.id, { token: eve.token })).headers.get('etag')!;
  const hidden = await show(video.id, 'private');
  for (const api of system().apis) {
    const seen = await call<Video[]>(api, 'GET', '/api/v1/video?limit=100', afterwards(hidden));
    expect(seen.data.map(({ id }) => id)).not.toContain(video.id);
    for (const known of ['"another"', '*', etag])
      expect(
        (
          await getVideo(api, video.id, {
            token: eve.token,
            headers: { 'If-None-Match': known },
            ...afterwards(hidden),
          })
        ).status,
      ).toBe(404);
  }
  const { url } = await settled(video.id, true);
  await eventually(() => fetched(video.url!), { what: 'the old URL leads nowhere', holds: (status) => status >= 400 });
  expect(await fetched(url!)).toBe(200);

  const gone = { type: 'VideoVisibilityChanged', data: { videoId: video.id, isPublic: false } };
  await eventually(() => feed.length > 0 && ofVideo.length > 0 && own.length > 0, { what: 'all have heard' });
  expect([feed, ofVideo]).toEqual([[gone], [gone]]);
  expect(own).toEqual([{ ...gone, data: { ...gone.data, visibility: 'private' } }]);

  // Back again: it is in the feed, and its URL is the one that it had.
  await show(video.id, 'public');
  expect((await settled(video.id, false)).url).toBe(video.url);
  // Whoever was given a signed URL while the files were moved can go on with it.
  for (const each of [video.url!, url!]) expect([each, await fetched(each)]).toEqual([each, 200]);
  await eventually(() => feed.length > 1, { what: 'the feed tells that it is back' });
  expect(feed[1]).toEqual({ ...gone, data: { videoId: video.id, isPublic: true } });
});

systemTest('an answer with signed URLs is repeated by its ETag while they work, and is never shared', async () => {
  const video = await uploaded(system().api(), ann.token, plain, { title: 'Mine', visibility: 'private' });
  const api = system().api();
  const first = await getVideo(api, video.id, { token: ann.token });
  expect(first.headers.get('cache-control')).toBe('private, no-cache');
  const again = await call(api, 'GET', `/api/v1/video/${video.id}`, {
    token: ann.token,
    headers: { 'If-None-Match': first.headers.get('etag')! },
  });
  // Unless five minutes have just ended, the URLs are the same.
  if (again.status === 304)
    expect((await getVideo(api, video.id, { token: ann.token })).data.video.url).toBe(first.data.video.url);
  else expect(again.status).toBe(200);
  for (const token of [undefined, eve.token])
    expect((await getVideo(api, video.id, token === undefined ? {} : { token })).status).toBe(404);
});

systemTest('deleting a private video removes its files', async () => {
  const video = await uploaded(system().api(), ann.token, plain, { title: 'Mine', visibility: 'private' });
  expect((await call(system().api(), 'DELETE', `/api/v1/video/${video.id}`, { token: ann.token })).status).toBe(204);
  await eventually(() => fetched(video.url!), { what: 'its file is removed', holds: (status) => status === 404 });
});

const moderate = (admin: Person, path: string, reason: string): Promise<Answer<Record<string, unknown>>> =>
  call(system().apis[0]!, 'POST', `/api/v1/admin/${path}`, { token: admin.token, json: { reason } });

systemTest(
  'a moderator hides a reported video from everyone but its owner at once, suspends its owner, and takes both back',
  async () => {
    const admin = await newPerson(system().api(), { email: 'grace@example.com' });
    const video = await uploaded(system().api(), ann.token, plain);
    const isOfModeration = (type: string): boolean => type === 'VideoHidden' || type === 'VideoRestored';
    const [feed, ofVideo, own] = [
      await listen(['feed'], undefined, isOfModeration),
      await listen([`video:${video.id}`], eve.token, isOfModeration),
      await listen(['me'], ann.token, isOfModeration),
    ];
    const report = { token: eve.token, json: { reason: 'other', text: 'A phone number, at the end.' } };
    const reported = await call(system().api(), 'POST', `/api/v1/video/${video.id}/reports`, report);
    expect(reported.status).toBe(201);
    const queue = await call<{ video: Video; newest: object }[]>(system().api(), 'GET', '/api/v1/admin/reports', {
      token: admin.token,
      ...afterwards(reported),
    });
    expect(queue.data.find(({ video: { id } }) => id === video.id)).toMatchObject({
      newest: { reporterId: eve.id, reason: 'other', text: 'A phone number, at the end.' },
    });

    const metrics = await call(system().api(), 'GET', '/metrics');
    expect(metrics.text).toMatch(/^reelstream_open_reports [1-9]/m);

    for (const api of system().apis) expect((await getVideo(api, video.id)).status).toBe(200);
    expect(await fetched(video.url!)).toBe(200);
    const hidden = await moderate(admin, `videos/${video.id}/hide`, 'Shows a phone number.');
    expect([hidden.status, hidden.data]).toMatchObject([200, { state: 'hidden', filesMoved: true }]);
    // The files were moved before the answer.
    expect(await fetched(video.url!)).toBeGreaterThanOrEqual(400);
    for (const api of system().apis) {
      expect((await getVideo(api, video.id, { token: eve.token, ...afterwards(hidden) })).status).toBe(404);
      const listed = await call<Video[]>(api, 'GET', '/api/v1/video?limit=100', afterwards(hidden));
      expect(listed.data.map(({ id }) => id)).not.toContain(video.id);
    }
    expect(await fetched((await settled(video.id, true)).url!)).toBe(200);
    await eventually(() => feed.length > 0 && ofVideo.length > 0 && own.length > 0, { what: 'all have heard' });
    const gone = { type: 'VideoHidden', data: { videoId: video.id } };
    expect([feed, ofVideo]).toEqual([[gone], [gone]]);
    expect(own).toEqual([{ ...gone, data: { ...gone.data, reason: 'Shows a phone number.' } }]);

    const socket = await connectSocket(system().api(), ann.token);
    const disconnected = new Promise((resolve) => socket.once('disconnect', resolve));
    expect((await moderate(admin, `users/${ann.id}/suspend`, 'Again and again.')).status).toBe(200);
    for (const api of system().apis)
      await eventually(() => call(api, 'GET', '/api/v1/auth/me', { token: ann.token }), {
        what: 'the session has ended',
        holds: ({ status, body }) => status === 401 && body.code === 'session_revoked',
      });
    await disconnected;
    socket.disconnect();
    const api = system().api();
    const logIn = (password: string): Promise<Answer<unknown>> =>
      call(api, 'POST', '/api/v1/auth/login', { json: { email: ann.email, password } });
    const refused = await logIn(ann.password);
    expect([refused.status, refused.body.code]).toEqual([403, 'account_suspended']);
    expect(refused.body.message).toContain('Again and again.');
    expect((await logIn(`${ann.password}x`)).status).toBe(401);
    const refreshed = await call(api, 'POST', '/api/v1/auth/refresh-token', { headers: { cookie: ann.cookie } });
    expect([refreshed.status, refreshed.body.code]).toEqual([403, 'account_suspended']);

    expect((await moderate(admin, `users/${ann.id}/reinstate`, 'It was a mistake.')).status).toBe(200);
    expect((await logIn(ann.password)).status).toBe(200);
    const restored = await moderate(admin, `videos/${video.id}/restore`, 'It was a mistake.');
    expect((await getVideo(system().api(), video.id, afterwards(restored))).data.video.url).toBe(video.url);
    expect(await fetched(video.url!)).toBe(200);
    await eventually(() => feed.length > 1, { what: 'the feed tells that it is back' });
    expect(feed[1]).toEqual({ type: 'VideoRestored', data: { videoId: video.id } });
  },
);
