import { afterAll, expect } from '@jest/globals';
import type pg from 'pg';
import { createPool } from '../../src/postgres/pool.ts';
import { clip } from '../support/clips.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { reelstream } from '../support/reelstream.ts';
import { searchEverywhere } from '../support/searchEverywhere.ts';
import { connect } from '../support/systemSockets.ts';
import { call, getVideo, newPerson, setLike, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { metadata } from '../support/tusRig.ts';
import { useSystem } from '../support/useSystem.ts';

const ME = '/api/v1/auth/me';
const EXPORT = `${ME}/export`;
const ADMIN = 'grace@example.com';

/** What must be nowhere afterwards. */
const planted = {
  name: 'Plantedname Secretson',
  username: 'planted_username',
  email: 'planted.mail@example.com',
  password: 'plantedPassword1!',
};
const texts = {
  ...planted,
  newName: 'Plantednewname',
  title: 'Plantedtitle',
  newTitle: 'Plantedlatertitle',
  description: 'Planteddescription',
  uploadTitle: 'Plantedupload',
  fileName: 'plantedfile.mp4',
  userAgent: 'PlantedAgent/1.0',
  report: 'Plantedreport',
  decision: 'Planteddecision',
};

let database: TestDatabase | undefined;
let pool: pg.Pool;
let variables: Readonly<Record<string, string>> = {};
const { system, systemTest } = useSystem({
  ofEach: 1,
  environment: async (engines) => {
    variables = engines;
    if (engines['DATABASE_URL'] === undefined) database = await createTestDatabase();
    const url = engines['DATABASE_URL'] ?? database!.url;
    pool = createPool({ connectionString: url, name: 'erasure test' });
    return { DATABASE_URL: url, ADMIN_EMAILS: ADMIN, LOG_LEVEL: 'debug' };
  },
});
afterAll(async () => {
  await pool.end();
  await database?.[Symbol.asyncDispose]();
});

const found = (): Promise<string[]> =>
  searchEverywhere({ system: system(), pool, engines: variables, texts: Object.values(texts) });

let listed: Promise<Person> | undefined;
const admin = (): Promise<Person> => (listed ??= newPerson(system().api(), { email: ADMIN }));

interface Exported {
  readonly profile: { readonly email: string };
  readonly sessions: readonly { readonly userAgent: string | null }[];
  readonly videos: readonly { readonly title: string; readonly url: string }[];
  readonly likes: readonly { readonly videoId: string }[];
  readonly uploads: readonly { readonly metadata: { readonly filename: string } }[];
  readonly events: readonly { readonly type: string; readonly data: object }[];
}

/** Does what leaves traces of a user. */
async function live(api: string): Promise<{ person: Person; video: Video; other: Person; liked: Video }> {
  const person = await newPerson(api, planted);
  const headers = { 'user-agent': texts.userAgent };
  const { email, password } = person;
  await call(api, 'POST', '/api/v1/auth/login', { json: { email, password }, headers });
  await call(api, 'PATCH', ME, { token: person.token, json: { name: texts.newName } });
  const { title, description, fileName } = texts;
  const plain = await clip('plain');
  const video = await uploaded(api, person.token, plain, { title, description, fileName });
  const once = { 'idempotency-key': 'change' };
  await call(api, 'PATCH', `/api/v1/video/${video.id}`, {
    token: person.token,
    json: { title: texts.newTitle },
    headers: once,
  });
  await call(api, 'POST', '/api/v1/uploads', {
    token: person.token,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-length': '1000',
      'upload-metadata': metadata({ title: texts.uploadTitle, filename: fileName }),
    },
  });
  const other = await newPerson(api);
  const liked = await uploaded(api, other.token, plain);
  await setLike(api, liked.id, person.token);
  await getVideo(api, liked.id, { token: person.token });
  await setLike(api, video.id, other.token);
  const report = { reason: 'other', text: texts.report };
  await call(api, 'POST', `/api/v1/video/${liked.id}/reports`, { token: person.token, json: report });
  const decision = { token: (await admin()).token, json: { reason: texts.decision } };
  expect((await call(api, 'POST', `/api/v1/admin/videos/${video.id}/hide`, decision)).status).toBe(200);
  expect((await call(api, 'POST', `/api/v1/admin/videos/${video.id}/restore`, decision)).status).toBe(200);
  return { person, video, other, liked };
}

systemTest(
  'a deleted account leaves nothing of the user',
  async () => {
    const api = system().api();
    const { person, video, other, liked } = await live(api);
    expect(await found()).not.toEqual([]);
    await eventually(async () => (await getVideo(api, liked.id)).data.video.viewCount, {
      what: 'the view counts',
      holds: (count) => count > 0,
    });

    const file = await fetch(`${api}${EXPORT}`, { headers: { authorization: `Bearer ${person.token}` } });
    const content = await file.text();
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="reelstream-[\d-]+\.json"$/);
    const data = JSON.parse(content) as Exported;
    expect(data.profile.email).toBe(planted.email);
    expect(data.sessions.map(({ userAgent }) => userAgent)).toContain(texts.userAgent);
    expect(data.videos).toMatchObject([{ title: texts.newTitle, description: texts.description }]);
    expect(data.likes).toMatchObject([{ videoId: liked.id }]);
    expect(data.uploads).toMatchObject([{ metadata: { filename: texts.fileName } }]);
    const types = new Set(data.events.map(({ type }) => type));
    expect([...types]).toEqual(
      expect.arrayContaining(['UserRegistered', 'VideoUploaded', 'VideoLiked', 'VideoViewed']),
    );
    expect(data.events.filter(({ type }) => type === 'VideoLiked')).toHaveLength(1);
    expect(content).not.toContain('argon2');

    const socket = await connect(system().sockets[0]!, person.token);
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const wrong = await call(api, 'DELETE', ME, { token: person.token, json: { password: 'wrongPassword1!' } });
    expect([wrong.status, wrong.body.code]).toEqual([403, 'password_wrong']);
    const deleted = await call(api, 'DELETE', ME, { token: person.token, json: { password: planted.password } });
    expect(deleted.status).toBe(202);

    await closed;
    expect((await call(api, 'GET', ME, { token: person.token })).status).toBe(401);
    expect((await call(api, 'POST', '/api/v1/auth/refresh-token', { cookie: person.cookie })).status).toBe(401);
    const login = { email: planted.email, password: planted.password };
    expect((await call(api, 'POST', '/api/v1/auth/login', { json: login })).status).toBe(401);

    await eventually(found, { within: 60_000, what: 'nothing is left', holds: (places) => places.length === 0 });
    await eventually(async () => (await getVideo(api, video.id)).status, {
      holds: (status) => status === 404,
      what: 'the video is gone',
    });
    expect((await fetch(video.url!)).ok).toBe(false);

    // What the user gave to others stays counted, and nothing else has changed.
    const { data: shown } = await getVideo(api, liked.id, { token: other.token });
    expect(shown.video.likeCount).toBe(1);
    const settings = { DATABASE_URL: variables['DATABASE_URL'] ?? database!.url };
    const checked = await reelstream('events check --json', settings);
    expect(JSON.parse(checked.output)).toMatchObject({ broken: null });

    // Last, because the texts are in use again then.
    const again = await newPerson(api, planted);
    expect(again.id).not.toBe(person.id);
    const next = await call<{ videos: unknown[] }>(api, 'GET', ME, { token: again.token });
    expect(next.body.meta?.role).toBe('user');
    expect(next.data.videos).toEqual([]);
  },
  180_000,
);

systemTest('read models of which a user was erased equal a replay', async () => {
  const api = system().api();
  const { token } = await admin();
  for (const projection of ['accounts', 'sessions', 'videos', 'analytics', 'timeline', 'likes', 'moderation']) {
    const path = `/api/v1/admin/projections/${projection}`;
    await call(api, 'POST', `${path}/verify`, { token });
    const verification = async (): Promise<{ state: string; result?: { identical: boolean } } | null> =>
      (await call<{ verification: { state: string } | null }>(api, 'GET', path, { token })).data.verification;
    const done = await eventually(verification, { what: 'the verification', holds: (each) => each?.state === 'done' });
    expect({ projection, ...done }).toMatchObject({ projection, result: { identical: true } });
  }
});
